import type { Query } from './query.ts'

/** A link that Grafana offers after a click on a series. */
export interface PanelLink {
  title: string
  url: string
}

/** Returns the variable that a link replaces by the value of this label on the clicked series. */
export function clickedLabel(name: string): string {
  return variable(`__field.labels.${name}`)
}

/**
 * Returns a link that opens `query` in Explore, over the time that the dashboard shows.
 *
 * Source: https://grafana.com/docs/grafana/latest/panels-visualizations/configure-data-links/ and, for the form of
 * the address, https://grafana.com/docs/grafana/latest/explore/get-started-with-explore/#generate-explore-urls-from-external-tools.
 */
export function exploreLink(title: string, query: Query): PanelLink {
  const range = { from: variable('__from'), to: variable('__to') }
  const panes = { linked: { datasource: query.datasource.uid, queries: [query], range } }
  return { title, url: `/explore?schemaVersion=1&orgId=1&panes=${encodeAround(JSON.stringify(panes))}` }
}

function variable(name: string): string {
  return `\${${name}}`
}

/** Percent-encodes everything except the variables, and has Grafana encode their values. */
function encodeAround(text: string): string {
  return text
    .split(/(\$\{[^}]+\})/)
    .map((part) => (/^\$\{/.test(part) ? part.replace('}', ':percentencode}') : encodeURIComponent(part)))
    .join('')
}
