import type { Dashboard, Panel, VariableModel } from '@grafana/schema'
import type { Query } from '../../../observability/grafana/query.ts'
import { runQuery, type Sources } from './grafana-queries.ts'
import type { TimeRange, Variables } from './grafana-variables.ts'

/** The panels of a dashboard that show something; headings of rows do not. */
export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []).filter((panel): panel is Panel => panel.type !== 'row')
}

export function queriesOf(panel: Panel): Query[] {
  return (panel.targets ?? []) as Query[]
}

/** The dashboard's own variables, with all of their values chosen, which are asked for as Grafana does. */
export async function allChosen(
  dashboard: Dashboard,
  sources: Sources,
  range: TimeRange,
): Promise<Variables> {
  const variables = dashboard.templating?.list ?? []
  const values = variables.map(async (variable) => [variable.name, await valuesOf(variable, sources, range)])
  return Object.fromEntries(await Promise.all(values))
}

async function valuesOf(variable: VariableModel, sources: Sources, range: TimeRange): Promise<string[]> {
  const text = typeof variable.query === 'object' ? String(variable.query.query) : ''
  const [, metric, label] = /^label_values\((.+), (\w+)\)$/.exec(text) ?? []
  if (metric === undefined || label === undefined)
    throw new Error(`${variable.name}: ${text} is not understood`)
  const query = { start: String(range.from), end: String(range.to), 'match[]': metric }
  const origin = sources[variable.datasource?.uid ?? '']
  const response = await fetch(`${origin}/api/v1/label/${label}/values?${new URLSearchParams(query)}`)
  const { data } = (await response.json()) as { data: string[] }
  return data
}

/** Queries of a dashboard that find nothing, as `panel: query`; empty where every panel shows something. */
export async function emptyQueries(
  dashboard: Dashboard,
  sources: Sources,
  range: TimeRange,
): Promise<string[]> {
  const variables = await allChosen(dashboard, sources, range)
  const empty: string[] = []
  for (const panel of panelsOf(dashboard)) {
    const queries = queriesOf(panel)
    if (queries.length === 0) empty.push(`${panel.title}: no query`)
    for (const query of queries) {
      const answer = await runQuery(query, sources, range, variables).catch((error: Error) => error)
      if (answer instanceof Error) empty.push(`${panel.title}: ${answer.message}`)
      else if (answer.found === 0) empty.push(`${panel.title}: ${query.expr ?? query.query}`)
    }
  }
  return empty
}
