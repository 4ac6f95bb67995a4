import { limits } from '../limits.ts'
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
    redirect: 'manual',
    proxy: proxy?.reveal() ?? false,
  }
  return {
    async lines(query, { from, before, limit, signal }) {
      const range = { start: nanoseconds(from), end: nanoseconds(before) }
      const parameters = new URLSearchParams({ query, ...range, limit: `${limit}`, direction: 'backward' })
      const address = `${url.replace(/\/$/, '')}/loki/api/v1/query_range?${parameters}`
      const timeout = AbortSignal.timeout(limits.auditQuerySecondsMax * 1000)
      const response = await fetch(address, { ...init, signal: AbortSignal.any([signal, timeout]) })
      const text = await bounded(response)
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

async function bounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    // Leaving the loop cancels the rest.
    if (bytes > limits.auditAnswerBytesMax)
      throw new Error(`Loki sent more than ${limits.auditAnswerBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
