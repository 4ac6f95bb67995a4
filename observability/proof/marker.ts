import { randomBytes } from 'node:crypto'

/** What one run writes and looks for. Its names are random, so what is found is what was written. */
export interface Marker {
  /** 16 hexadecimal digits. */
  id: string
  /** Attribute of the resource; becomes Loki's label `service_name`. */
  serviceName: string
  /** On the log lines and on the spans, so that one is found from the other. */
  correlationId: string
  /** W3C trace context: 32 and 16 hexadecimal digits. */
  traceId: string
  rootSpanId: string
  childSpanId: string
  /** Time of the first line and span, milliseconds since the epoch; Loki and Tempo keep it. */
  at: number
}

/** Returns a marker with random names. @param at its time, milliseconds since the epoch; default: now. */
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
