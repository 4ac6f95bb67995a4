import { type Answer, ask, askJson, askSuccessfully, type Target } from './ask.ts'
import { nanoseconds } from './otlp.ts'

/** A log line as Loki returns it. */
export interface FoundLine {
  /** Nanoseconds since the epoch, as text. */
  ns: string
  text: string
  labels: Record<string, string>
  structuredMetadata: Record<string, string>
}

export interface QueryAnswer {
  lines: FoundLine[]
  /** Chunks that were fetched from the object store for this answer. */
  chunksDownloaded: number
  /** Chunks that the ingester still had: in memory, or on its own disk. */
  chunksInIngester: number
  /** The answer as it came, for the evidence. */
  text: string
}

interface StoreStatistics {
  store: { totalChunksDownloaded: number }
}

interface QueryRangeBody {
  data: {
    result: {
      stream: Record<string, string>
      values: [ns: string, text: string, extra?: { structuredMetadata?: Record<string, string> }][]
    }[]
    stats: { ingester: StoreStatistics & { totalChunksMatched: number }; querier: StoreStatistics }
  }
}

/**
 * Returns all lines of a query between two times, oldest first (Loki HTTP API, `query_range`).
 *
 * @param from milliseconds since the epoch; `to` is included.
 */
export async function queryLines(
  { url, orgId }: Target,
  query: string,
  { from, to }: { from: number; to: number },
): Promise<QueryAnswer> {
  const range = { start: nanoseconds(from), end: nanoseconds(to + 1), limit: '100', direction: 'forward' }
  const { text } = await askSuccessfully(`${url}/loki/api/v1/query_range?${params({ query, ...range })}`, {
    orgId,
    // Keeps labels and structured metadata apart.
    headers: { 'X-Loki-Response-Encoding-Flags': 'categorize-labels' },
  })
  const { result, stats } = (JSON.parse(text) as QueryRangeBody).data
  const lines = result.flatMap(({ stream, values }) =>
    values.map(([ns, line, extra]) => ({
      ns,
      text: line,
      labels: stream,
      structuredMetadata: extra?.structuredMetadata ?? {},
    })),
  )
  const { ingester, querier } = stats
  return {
    lines: lines.sort((one, other) => (one.ns < other.ns ? -1 : 1)),
    chunksDownloaded: ingester.store.totalChunksDownloaded + querier.store.totalChunksDownloaded,
    chunksInIngester: ingester.totalChunksMatched,
    text,
  }
}

/** Asks for the deletion of what a query finds (Loki HTTP API, `POST /loki/api/v1/delete`). */
export function requestDeletion(
  { url, orgId }: Target,
  query: string,
  { from, to }: { from: number; to: number },
): Promise<Answer> {
  const seconds = (milliseconds: number) => String(Math.floor(milliseconds / 1000))
  const range = { start: seconds(from), end: seconds(to + 1000) }
  return ask(`${url}/loki/api/v1/delete?${params({ query, ...range })}`, { method: 'POST', orgId })
}

/** Returns the deletions and their progress. */
export function deletions({ url, orgId }: Target): Promise<{ status: string }[]> {
  return askJson(`${url}/loki/api/v1/delete`, { orgId })
}

/** Asks the ruler to keep a rule. If there is one, it writes the rule to the store. */
export function keepRule({ url, orgId }: Target, namespace: string): Promise<Answer> {
  const rule = '{record: "validate:lines", expr: "sum(rate({service_name=~`.+`}[1m]))"}'
  return ask(`${url}/loki/api/v1/rules/${namespace}`, {
    method: 'POST',
    orgId,
    headers: { 'content-type': 'application/yaml' },
    body: `name: ${namespace}\nrules: [${rule}]\n`,
  })
}

function params(named: Record<string, string>): string {
  return new URLSearchParams(named).toString()
}
