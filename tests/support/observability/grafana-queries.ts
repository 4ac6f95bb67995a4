import type { Query } from '../../../observability/grafana/query.ts'
import { builtIn, expand, type TimeRange, type Variables } from './grafana-variables.ts'

/** Origins of the servers behind the data sources, by their uid. */
export type Sources = Readonly<Record<string, string>>

/** What a data source answered. `found` counts samples, lines or traces: 0 is an empty panel. */
export interface Answer {
  found: number
  /** Labels of each series or stream. */
  labels: Record<string, string>[]
  /** As it came. */
  body: unknown
}

/** Of `timeInterval` in the data source; a unit test holds them to each other. */
export const scrapeIntervalSeconds = 15

/**
 * Runs a query as the plug-in of its data source does: with all variables put in, over the time that is shown.
 *
 * @throws {Error} if the server refuses it.
 */
export async function runQuery(
  query: Query,
  sources: Sources,
  range: TimeRange,
  variables: Variables = {},
): Promise<Answer> {
  const known = { ...builtIn(range, scrapeIntervalSeconds), ...variables }
  const origin = sources[query.datasource.uid]
  if (origin === undefined) throw new Error(`there is no data source ${query.datasource.uid}`)
  const { type } = query.datasource
  if (type === 'tempo') return askTempo(origin, expand(String(query.query), known), range)
  const expr = expand(String(query.expr), known)
  if (type === 'loki') return askLoki(origin, expr, range)
  return askPrometheus(origin, expr, range, query.instant === true)
}

interface Matrix {
  data: {
    result: { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[]
  }
}

async function askPrometheus(
  origin: string,
  query: string,
  { from, to }: TimeRange,
  instant: boolean,
): Promise<Answer> {
  const when = instant ? { time: String(to) } : { start: String(from), end: String(to), step: '1' }
  const body = await ask<Matrix>(`${origin}/api/v1/query${instant ? '' : '_range'}`, { query, ...when })
  const { result } = body.data
  const samples = result.flatMap(({ value, values = value ? [value] : [] }) => values)
  // Division by nothing is NaN, and draws nothing.
  const found = samples.filter(([, sample]) => Number.isFinite(Number(sample))).length
  return { found, labels: result.map(({ metric }) => metric), body }
}

interface Streams {
  data: { result: { stream?: Record<string, string>; metric?: Record<string, string>; values: unknown[] }[] }
}

async function askLoki(origin: string, query: string, { from, to }: TimeRange): Promise<Answer> {
  const range = { start: nanoseconds(from), end: nanoseconds(to), limit: '1000', direction: 'backward' }
  const body = await ask<Streams>(`${origin}/loki/api/v1/query_range`, { query, ...range })
  const { result } = body.data
  const found = result.reduce((sum, { values }) => sum + values.length, 0)
  return { found, labels: result.map(({ stream, metric }) => stream ?? metric ?? {}), body }
}

/** A query that is a trace id gets that trace; all others search. */
async function askTempo(origin: string, query: string, { from, to }: TimeRange): Promise<Answer> {
  if (/^[0-9a-f]{32}$/.test(query)) {
    const body = await ask<{ trace?: { resourceSpans?: unknown[] } }>(`${origin}/api/v2/traces/${query}`, {})
    return { found: body.trace?.resourceSpans?.length ?? 0, labels: [], body }
  }
  const range = { start: String(Math.floor(from)), end: String(Math.ceil(to)), limit: '20' }
  const body = await ask<{ traces?: unknown[] }>(`${origin}/api/search`, { q: query, ...range })
  return { found: body.traces?.length ?? 0, labels: [], body }
}

async function ask<T>(url: string, parameters: Record<string, string>): Promise<T> {
  const response = await fetch(`${url}?${new URLSearchParams(parameters)}`, {
    signal: AbortSignal.timeout(30_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url} ${JSON.stringify(parameters)}: ${response.status} ${text}`)
  return JSON.parse(text)
}

function nanoseconds(seconds: number): string {
  return `${Math.floor(seconds * 1000)}000000`
}
