import {
  type Dashboard,
  DashboardCursorSync,
  type DashboardLink,
  defaultDashboard,
  type Panel,
  type RowPanel,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/schema'
import type { PlacelessPanel } from './panel.ts'
import { prometheus } from './query.ts'

export interface Row {
  title: string
  /** From left to right, all of the same width. */
  panels: readonly PlacelessPanel[]
  /** In units of Grafana's grid, 30 pixels each; default: 8. */
  height?: number
}

export interface DashboardOptions {
  /** Never changes: links and alerts name it. */
  uid: string
  title: string
  description: string
  variables?: VariableModel[]
  rows: readonly Row[]
}

const gridWidth = 24
const tag = 'cloudlysis'

/**
 * Returns a dashboard as Grafana loads it from a file.
 *
 * Source: https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/,
 * and `@grafana/schema`, whose types the compiler checks.
 */
export function dashboard({ uid, title, description, variables = [], rows }: DashboardOptions): Dashboard {
  return {
    uid,
    title,
    description,
    tags: [tag],
    schemaVersion: defaultDashboard.schemaVersion,
    version: 1,
    editable: true,
    graphTooltip: DashboardCursorSync.Crosshair,
    timezone: 'browser',
    time: { from: 'now-1h', to: 'now' },
    refresh: '30s',
    links: [others],
    templating: { list: variables },
    panels: placed(rows),
  }
}

/** A menu of the other dashboards, which keeps the time shown. */
const others: DashboardLink = {
  type: 'dashboards',
  title: 'Cloudlysis',
  tags: [tag],
  asDropdown: true,
  includeVars: false,
  keepTime: true,
  targetBlank: false,
  icon: 'external link',
  tooltip: '',
  url: '',
}

/** Returns a variable for several or all values of a label. */
export function labelVariable(name: string, label: string, metric: string): VariableModel {
  const all = { text: ['All'], value: ['$__all'] }
  return {
    type: 'query',
    name,
    label,
    datasource: prometheus,
    query: { qryType: 1, query: `label_values(${metric}, ${name})`, refId: name },
    refresh: VariableRefresh.onTimeRangeChanged,
    sort: VariableSort.alphabeticalAsc,
    multi: true,
    includeAll: true,
    current: all,
  }
}

/** Returns the panels of all rows, each row under its heading; ids ascend. */
function placed(rows: readonly Row[]): (Panel | RowPanel)[] {
  const panels: (Panel | RowPanel)[] = []
  let y = 0
  for (const { title, panels: inRow, height = 8 } of rows) {
    const heading = { x: 0, y, w: gridWidth, h: 1 }
    panels.push({ type: 'row', id: panels.length + 1, title, collapsed: false, panels: [], gridPos: heading })
    y += 1
    const w = Math.floor(gridWidth / inRow.length)
    for (const [index, panel] of inRow.entries()) {
      panels.push({ ...panel, id: panels.length + 1, gridPos: { x: index * w, y, w, h: height } })
    }
    y += height
  }
  return panels
}
