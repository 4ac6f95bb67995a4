import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LogsDedupStrategy,
  LogsSortOrder,
  type Panel,
  SortOrder,
  StackingMode,
  ThresholdsMode,
  TooltipDisplayMode,
  VisibilityMode,
} from '@grafana/schema'
import type { PanelLink } from './explore-link.ts'
import {
  logQuery,
  loki,
  prometheus,
  promInstant,
  promRange,
  type Series,
  tempo,
  traceQuery,
} from './query.ts'

/** A panel without its place, which its row determines. */
export type PlacelessPanel = Omit<Panel, 'id' | 'gridPos'>

export interface PanelText {
  title: string
  /** What the panel shows, and what is good or bad about it. */
  description: string
}

export interface GraphOptions extends PanelText {
  /** One of https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/#unit. */
  unit: string
  queries: readonly Series[]
  links?: PanelLink[]
  /** Stacks the series, if their sum is meaningful. */
  stacked?: boolean
}

/** Returns a graph over time from Prometheus. */
export function graph({
  title,
  description,
  unit,
  queries,
  links = [],
  stacked,
}: GraphOptions): PlacelessPanel {
  return {
    type: 'timeseries',
    title,
    description,
    datasource: prometheus,
    targets: queries.map((series, index) => promRange(series, String.fromCharCode(65 + index))),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        links,
        custom: {
          drawStyle: GraphDrawStyle.Line,
          fillOpacity: stacked ? 30 : 8,
          showPoints: VisibilityMode.Never,
          stacking: { mode: stacked ? StackingMode.Normal : StackingMode.None },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
    },
  }
}

export interface StatOptions extends PanelText {
  /** Default: a plain number. */
  unit?: string
  /** PromQL; one number for each series. */
  expr: string
  legend?: string
  /** Red from this value on; default: never. */
  redFrom?: number
}

/** Returns a panel of current numbers from Prometheus. */
export function stat(options: StatOptions): PlacelessPanel {
  const { title, description, unit = 'short', expr, legend = '', redFrom } = options
  const steps = [
    { value: null, color: 'text' },
    ...(redFrom === undefined ? [] : [{ value: redFrom, color: 'red' }]),
  ]
  return {
    type: 'stat',
    title,
    description,
    datasource: prometheus,
    targets: [promInstant(expr, legend)],
    fieldConfig: {
      defaults: { unit, thresholds: { mode: ThresholdsMode.Absolute, steps } },
      overrides: [],
    },
    options: {
      colorMode: BigValueColorMode.Value,
      graphMode: BigValueGraphMode.None,
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
  }
}

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
