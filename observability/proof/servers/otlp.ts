import type { Marker } from '../marker.ts'
import { type Answer, ask } from './ask.ts'

/** A line of a marker. */
export interface WrittenLine {
  /** Milliseconds since the epoch. */
  at: number
  text: string
}

/** Returns the two lines of a marker, one millisecond apart: so their chunk has a beginning and an end. */
export function linesOf({ id, at }: Marker): WrittenLine[] {
  return [
    { at, text: `validate ${id}: a line that is traced` },
    { at: at + 1, text: `validate ${id}: and one more` },
  ]
}

export interface OtlpTarget {
  otlpUrl: string
  /** Tenant, sent as X-Scope-OrgID. */
  orgId?: string | undefined
}

/**
 * Sends the marker's lines as OTLP logs (opentelemetry.io, "OTLP/HTTP", JSON encoding), with trace id, span id and
 * correlation id.
 */
export function sendLog(target: OtlpTarget, marker: Marker): Promise<Answer> {
  const logRecords = linesOf(marker).map(({ at, text }) => ({
    timeUnixNano: nanoseconds(at),
    observedTimeUnixNano: nanoseconds(at),
    severityNumber: 9,
    severityText: 'INFO',
    body: { stringValue: text },
    attributes: attributes({ 'correlation.id': marker.correlationId }),
    traceId: marker.traceId,
    spanId: marker.rootSpanId,
  }))
  const scopeLogs = [{ scope: { name: 'cloudlysis-validate' }, logRecords }]
  return post(target, 'v1/logs', { resourceLogs: [{ resource: resourceOf(marker), scopeLogs }] })
}

/** Returns the spans of a marker: a request of 40 ms, and within it a call to the store of 20 ms. */
export function spansOf(marker: Marker) {
  const correlation = { 'correlation.id': marker.correlationId }
  return [
    {
      spanId: marker.rootSpanId,
      parentSpanId: '',
      name: 'validate',
      kind: 2,
      start: marker.at,
      end: marker.at + 40,
      attributes: correlation,
    },
    {
      spanId: marker.childSpanId,
      parentSpanId: marker.rootSpanId,
      name: 'validate store call',
      kind: 3,
      start: marker.at + 10,
      end: marker.at + 30,
      attributes: { ...correlation, 'validate.id': marker.id },
    },
  ]
}

/** Sends the marker's trace as OTLP. */
export function sendTrace(target: OtlpTarget, marker: Marker): Promise<Answer> {
  const spans = spansOf(marker).map(({ start, end, attributes: named, ...span }) => ({
    ...span,
    traceId: marker.traceId,
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(end),
    attributes: attributes(named),
    status: { code: 1 },
  }))
  const scopeSpans = [{ scope: { name: 'cloudlysis-validate' }, spans }]
  return post(target, 'v1/traces', { resourceSpans: [{ resource: resourceOf(marker), scopeSpans }] })
}

function post({ otlpUrl, orgId }: OtlpTarget, path: string, body: object): Promise<Answer> {
  return ask(`${otlpUrl}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    orgId,
  })
}

function resourceOf({ serviceName }: Marker) {
  return { attributes: attributes({ 'service.name': serviceName }) }
}

function attributes(named: Record<string, string>) {
  return Object.entries(named).map(([key, value]) => ({ key, value: { stringValue: value } }))
}

/** Returns Unix time in nanoseconds as decimal text, since it exceeds what a JSON number holds exactly. */
export function nanoseconds(milliseconds: number): string {
  return (BigInt(milliseconds) * 1_000_000n).toString()
}
