import { randomBytes } from 'node:crypto'

/** What one run writes and looks for: nothing else has these names, so what is found is what was written. */
export interface Marker {
  /** 16 hexadecimal digits. */
  id: string
  /** Of the resource; becomes Loki's label `service_name`. */
  serviceName: string
  /** On the log line and on the span: how one is found from the other. */
  correlationId: string
  /** W3C trace context: 32 and 16 hexadecimal digits. */
  traceId: string
  rootSpanId: string
  childSpanId: string
  /** When it happened, milliseconds since the epoch; Loki and Tempo keep it. */
  at: number
}

export function newMarker(at = Date.now()): Marker {
  const id = hex(8)
  return {
    id,
    serviceName: `cloudlysis-validate-${id}`,
    correlationId: `validate-${hex(8)}`,
    traceId: hex(16),
    rootSpanId: hex(8),
    childSpanId: hex(8),
    at,
  }
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}
