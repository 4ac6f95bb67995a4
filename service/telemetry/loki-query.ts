import { readBounded } from '../bounded-body.ts'
import { limits } from '../limits.ts'
import { outboundOptions } from '../outbound.ts'
import type { Secret } from './secret.ts'

/** Lines of the log that were exported, as Loki has them. */
export interface LokiQuery {
  /**
   * Returns the newest lines that a LogQL query finds in a range of time, parsed, in no order.
   *
   * @throws {Error} if Loki does not answer in time, refuses, or answers something else; and if `signal` is aborted.
   */
  lines(query: string, options: LokiRange): Promise<Readonly<Record<string, unknown>>[]>
}

export interface LokiRange {
  from: Date
  /** Lines of this time are not among them. */
  before: Date
  limit: number
  signal: AbortSignal
}

export interface LokiOptions {
  /** Base URL of its API. */
  url: string
  headers: Readonly<Record<string, Secret>>
  proxy: Secret | undefined
}

/**
 * Returns a client of Loki's API for queries:
 * https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time.
 */
export function createLokiQuery({ url, headers, proxy }: LokiOptions): LokiQuery {
  const revealed = Object.entries(headers).map(([name, value]) => [name, value.reveal()])
  const init: RequestInit & BunFetchRequestInit = {
    headers: Object.fromEntries(revealed),
    ...outboundOptions({ proxy: proxy?.reveal() }),
  }
  return {
    async lines(query, { from, before, limit, signal }) {
      const range = { start: nanoseconds(from), end: nanoseconds(before) }
      const parameters = new URLSearchParams({ query, ...range, limit: `${limit}`, direction: 'backward' })
      const address = `${url.replace(/\/$/, '')}/loki/api/v1/query_range?${parameters}`
      const timeout = AbortSignal.timeout(limits.auditQuerySecondsMax * 1000)
      const response = await fetch(address, { ...init, signal: AbortSignal.any([signal, timeout]) })
      const bytes = await readBounded(response.body, limits.auditAnswerBytesMax)
      if (bytes === null) throw new Error(`Loki sent more than ${limits.auditAnswerBytesMax} bytes`)
      const text = bytes.toString()
      if (response.status !== 200) throw new Error(`Loki answered ${response.status}: ${text.slice(0, 200)}`)
      const { data }: LokiAnswer = JSON.parse(text)
      return data.result.flatMap(({ values }) => values.map(([, line]) => JSON.parse(line)))
    },
  }
}

interface LokiAnswer {
  data: { result: { values: [nanoseconds: string, line: string][] }[] }
}

function nanoseconds(date: Date): string {
  return `${date.getTime()}000000`
}
