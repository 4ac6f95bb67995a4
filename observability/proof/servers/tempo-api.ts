import { askPatiently, askSuccessfully, isSuccess, type Target, UnexpectedAnswer } from './ask.ts'

/** A span as Tempo returns it; ids are hexadecimal, times milliseconds since the epoch. */
export interface FoundSpan {
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  start: number
  end: number
  serviceName: string
  attributes: Record<string, string>
}

export interface FoundTrace {
  spans: FoundSpan[]
  /** The answer as it came, for the evidence. */
  text: string
}

/** Where Tempo looks: everywhere, in all blocks of the object store or one of them, or in its ingester. */
export type Where = 'everywhere' | 'blocks' | 'ingesters' | { block: string }

/**
 * Returns a trace by its id, or `null` if there is none.
 *
 * Any place but `everywhere` is asked for at the querier, by the path that Tempo's own query frontend uses
 * (modules/querier/http.go): so the answer shows where it came from.
 */
export async function traceById(
  { url, orgId }: Target,
  traceId: string,
  where: Where = 'everywhere',
): Promise<FoundTrace | null> {
  const path =
    where === 'everywhere' ? `/api/traces/${traceId}` : `/querier/api/traces/${traceId}?${modeOf(where)}`
  const headers = { accept: 'application/json' }
  const answer = await askPatiently(`${url}${path}`, { orgId, headers })
  if (answer.status === 404) return null
  if (!isSuccess(answer)) throw new UnexpectedAnswer(`${url}${path}`, answer)
  return { spans: spansIn(JSON.parse(answer.text)), text: answer.text }
}

function modeOf(where: Exclude<Where, 'everywhere'>): string {
  return typeof where === 'string'
    ? `mode=${where}`
    : `mode=blocks&blockStart=${where.block}&blockEnd=${where.block}`
}

/** Returns the ids of traces that a TraceQL query finds between two times in milliseconds (Tempo HTTP API, `/api/search`). */
export async function searchTraces(
  { url, orgId }: Target,
  traceql: string,
  { from, to }: { from: number; to: number },
): Promise<{ traceIds: string[]; text: string }> {
  const query = new URLSearchParams({
    q: traceql,
    start: String(Math.floor(from / 1000)),
    end: String(Math.ceil(to / 1000)),
    limit: '20',
  })
  const { text } = await askSuccessfully(`${url}/api/search?${query}`, { orgId })
  const { traces = [] } = JSON.parse(text) as { traces?: { traceID: string }[] }
  return { traceIds: traces.map(({ traceID }) => traceID.padStart(32, '0')), text }
}

interface OtlpAttribute {
  key: string
  value: { stringValue?: string }
}

interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes?: OtlpAttribute[]
}

interface ResourceSpans {
  resource: { attributes?: OtlpAttribute[] }
  scopeSpans?: { spans?: OtlpSpan[] }[]
}

/** The query frontend calls the list `batches`, the querier `resourceSpans`. */
interface TraceBody {
  batches?: ResourceSpans[]
  trace?: { resourceSpans?: ResourceSpans[] }
}

function spansIn({ batches, trace }: TraceBody): FoundSpan[] {
  return (batches ?? trace?.resourceSpans ?? []).flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans
      .flatMap(({ spans = [] }) => spans)
      .map((span) => ({
        traceId: hexId(span.traceId),
        spanId: hexId(span.spanId),
        parentSpanId: hexId(span.parentSpanId ?? ''),
        name: span.name,
        start: milliseconds(span.startTimeUnixNano),
        end: milliseconds(span.endTimeUnixNano),
        serviceName: named(resource.attributes)['service.name'] ?? '',
        attributes: named(span.attributes),
      })),
  )
}

function named(attributes: OtlpAttribute[] = []): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? '']))
}

/** Ids are bytes in protobuf, so its JSON has them in base64; the JSON of OTLP has them in hexadecimal. */
function hexId(text: string): string {
  return /^([0-9a-f]{16}|[0-9a-f]{32})$/.test(text) ? text : Buffer.from(text, 'base64').toString('hex')
}

function milliseconds(nanoseconds: string): number {
  return Number(BigInt(nanoseconds) / 1_000_000n)
}
