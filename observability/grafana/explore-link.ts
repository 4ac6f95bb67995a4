import type { Query } from './query.ts'

/** What is offered when somebody clicks on a series. */
export interface PanelLink {
  title: string
  url: string
}

/** In a link: the value that this label has on the series that was clicked on. */
export function clickedLabel(name: string): string {
  return variable(`__field.labels.${name}`)
}

/**
 * A link that opens `query` in Explore, over the time that the dashboard shows.
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

/** Percent-encodes all but the variables, and has Grafana encode what it puts in for them. */
function encodeAround(text: string): string {
  return text
    .split(/(\$\{[^}]+\})/)
    .map((part) => (/^\$\{/.test(part) ? part.replace('}', ':percentencode}') : encodeURIComponent(part)))
    .join('')
}
