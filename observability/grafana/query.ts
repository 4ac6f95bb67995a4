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

/** Returns a PromQL query over the time shown; `legend` names its series, such as `{{route}}`. */
export function promRange(expr: string, legend: string, refId = 'A'): Query {
  return { refId, datasource: prometheus, editorMode: 'code', range: true, expr, legendFormat: legend }
}

/** Returns a PromQL query at the end of the time shown. */
export function promInstant(expr: string, legend: string, refId = 'A'): Query {
  return { refId, datasource: prometheus, editorMode: 'code', instant: true, expr, legendFormat: legend }
}

/** Returns a LogQL query: lines, or a metric made of them. */
export function logQuery(expr: string, refId = 'A'): Query {
  return { refId, datasource: loki, editorMode: 'code', queryType: 'range', expr }
}

/** Returns a TraceQL query: a list of traces. */
export function traceQuery(query: string, refId = 'A'): Query {
  return { refId, datasource: tempo, queryType: 'traceql', tableType: 'traces', limit: 20, query }
}
