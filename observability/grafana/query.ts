/** A data source by its kind and the uid that `provisioning/datasources/observability.yaml` gives it. */
export interface DataSource {
  type: 'prometheus' | 'loki' | 'tempo'
  uid: string
}

export const prometheus = { type: 'prometheus', uid: 'prometheus' } as const satisfies DataSource
export const loki = { type: 'loki', uid: 'loki' } as const satisfies DataSource
export const tempo = { type: 'tempo', uid: 'tempo' } as const satisfies DataSource

/** A query as the plug-in of its data source saves it; `refId` is unique in a panel. */
export type Query = { refId: string; datasource: DataSource } & Record<string, unknown>

/** A PromQL expression, and the legend of its series, such as `{{route}}`. */
export type Series = readonly [expr: string, legend: string]

/** Returns the rate per second of a counter, with its selector if need be, summed by labels such as `method, route`. */
export function rateBy(labels: string, counter: string, legend = legendOf(labels)): Series {
  return [`sum by (${labels}) (rate(${counter}[$__rate_interval]))`, legend]
}

/** Returns the increase of a counter from point to point of the graph, summed by labels. */
export function increaseBy(labels: string, counter: string, legend = legendOf(labels)): Series {
  return [`sum by (${labels}) (increase(${counter}[$__rate_interval]))`, legend]
}

/** Returns the rate per second of a counter, as one series. */
export function rateOf(counter: string, legend: string): Series {
  return [`sum(rate(${counter}[$__rate_interval]))`, legend]
}

/** Returns the increase of a counter from point to point of the graph, as one series. */
export function increaseOf(counter: string, legend: string): Series {
  return [`sum(increase(${counter}[$__rate_interval]))`, legend]
}

/** Returns the 95th percentile of a histogram by labels. @param selector such as `{route="/"}`; default: all series. */
export function p95By(labels: string, histogram: string, selector = ''): Series {
  const buckets = `rate(${histogram}_bucket${selector}[$__rate_interval])`
  return [`histogram_quantile(0.95, sum by (${labels}, le) (${buckets}))`, legendOf(labels)]
}

function legendOf(labels: string): string {
  return labels.replace(/\w+/g, '{{$&}}').replaceAll(',', '')
}

/** Returns a PromQL query over the time shown; `refId` is unique in its panel. */
export function promRange([expr, legend]: Series, refId: string): Query {
  return { refId, datasource: prometheus, editorMode: 'code', range: true, expr, legendFormat: legend }
}

/** Returns a PromQL query at the end of the time shown. */
export function promInstant(expr: string, legend: string): Query {
  return { refId: 'A', datasource: prometheus, editorMode: 'code', instant: true, expr, legendFormat: legend }
}

/** Returns a LogQL query: lines, or a metric made of them. */
export function logQuery(expr: string): Query {
  return { refId: 'A', datasource: loki, editorMode: 'code', queryType: 'range', expr }
}

/** Returns a TraceQL query: a list of traces. */
export function traceQuery(query: string): Query {
  return { refId: 'A', datasource: tempo, queryType: 'traceql', tableType: 'traces', limit: 20, query }
}
