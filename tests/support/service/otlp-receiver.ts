import { keepPrinted } from '../printed.ts'

/** A span as OTLP/JSON has it, with its own attributes and those of its resource as plain values. */
export interface ReceivedSpan {
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  name: string
  /** 2 is SERVER, 3 is CLIENT. */
  kind: number
  attributes: Readonly<Record<string, unknown>>
  resource: Readonly<Record<string, unknown>>
  /** 2 is ERROR. */
  status: { code?: number; message?: string }
  events: readonly unknown[]
}

/** A log record as OTLP/JSON has it, with its own attributes and those of its resource as plain values. */
export interface ReceivedLog {
  traceId: string | undefined
  spanId: string | undefined
  severityText: string
  body: string
  attributes: Readonly<Record<string, unknown>>
  resource: Readonly<Record<string, unknown>>
}

/** A backend of OTLP/HTTP in JSON that keeps what it receives, or behaves badly. */
export interface OtlpReceiver {
  url: string
  spans: ReceivedSpan[]
  logs: ReceivedLog[]
  /** Headers of every request. */
  headers: Headers[]
  /** Returns everything that was received, unchanged. */
  bytes(): string
  /** Sets how it answers from now on; at first it accepts everything. */
  behave(behaviour: Behaviour): void
  stop(): Promise<void>
}

export type Behaviour = (request: Request) => Response | Promise<Response>

const takesAll: Behaviour = () => Response.json({})

/** Starts a receiver on a free port of loopback. */
export function startOtlpReceiver(): OtlpReceiver {
  const bodies: string[] = []
  let behaviour = takesAll
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const text = await request.text()
      receiver.headers.push(request.headers)
      bodies.push(text)
      keepPrinted('otlp', text)
      const response = await behaviour(request)
      if (response.ok) keep(new URL(request.url).pathname, JSON.parse(text))
      return response
    },
  })

  function keep(path: string, sent: Sent): void {
    for (const { resource, scopeSpans = [], scopeLogs = [] } of sent.resourceSpans ??
      sent.resourceLogs ??
      []) {
      const about = { resource: plain(resource.attributes) }
      if (path === '/v1/traces') {
        for (const { spans } of scopeSpans)
          receiver.spans.push(...spans.map((span) => ({ ...toSpan(span), ...about })))
      } else {
        for (const { logRecords } of scopeLogs)
          receiver.logs.push(...logRecords.map((log) => ({ ...toLog(log), ...about })))
      }
    }
  }

  const receiver: OtlpReceiver = {
    url: server.url.origin,
    spans: [],
    logs: [],
    headers: [],
    bytes: () => bodies.join('\n'),
    behave(next) {
      behaviour = next
    },
    stop: () => server.stop(true),
  }
  return receiver
}

interface KeyValue {
  key: string
  value: Value
}

interface Value {
  stringValue?: string
  intValue?: number | string
  doubleValue?: number
  boolValue?: boolean
  arrayValue?: { values: Value[] }
}

interface SentSpan extends Omit<ReceivedSpan, 'attributes' | 'resource' | 'events'> {
  attributes?: KeyValue[]
  events?: unknown[]
}

interface SentLog {
  traceId?: string
  spanId?: string
  severityText: string
  body: Value
  attributes?: KeyValue[]
}

interface Sent {
  resourceSpans?: Resource[]
  resourceLogs?: Resource[]
}

interface Resource {
  resource: { attributes: KeyValue[] }
  scopeSpans?: { spans: SentSpan[] }[]
  scopeLogs?: { logRecords: SentLog[] }[]
}

function toSpan({ traceId, spanId, parentSpanId, name, kind, status, attributes, events = [] }: SentSpan) {
  return { traceId, spanId, parentSpanId, name, kind, status, events, attributes: plain(attributes) }
}

function toLog({ traceId, spanId, severityText, body, attributes }: SentLog) {
  return { traceId, spanId, severityText, body: String(plainValue(body)), attributes: plain(attributes) }
}

function plain(attributes: KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]))
}

function plainValue({ stringValue, intValue, doubleValue, boolValue, arrayValue }: Value): unknown {
  if (intValue !== undefined) return Number(intValue)
  return stringValue ?? doubleValue ?? boolValue ?? arrayValue?.values.map(plainValue)
}
