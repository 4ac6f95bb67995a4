import { LogsDedupStrategy, LogsSortOrder } from '@grafana/schema'
import type { PanelText, PlacelessPanel } from './panel.ts'
import { logQuery, loki, tempo, traceQuery } from './query.ts'

/** Returns a panel of log lines, newest first. The derived field of the data source links a line to its trace. */
export function logLines({ title, description, expr }: PanelText & { expr: string }): PlacelessPanel {
  return {
    type: 'logs',
    title,
    description,
    datasource: loki,
    targets: [logQuery(expr)],
    options: {
      showTime: true,
      showLabels: false,
      showCommonLabels: false,
      wrapLogMessage: true,
      prettifyLogMessage: false,
      enableLogDetails: true,
      showLogContextToggle: true,
      dedupStrategy: LogsDedupStrategy.none,
      sortOrder: LogsSortOrder.Descending,
    },
  }
}

/** Returns a panel with a list of traces; the id in each row opens the trace. */
export function traceList({ title, description, query }: PanelText & { query: string }): PlacelessPanel {
  return {
    type: 'table',
    title,
    description,
    datasource: tempo,
    targets: [traceQuery(query)],
    options: { showHeader: true },
  }
}
