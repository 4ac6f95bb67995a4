import type { PanelLink } from '../../../observability/grafana/explore-link.ts'
import type { Query } from '../../../observability/grafana/query.ts'
import { scrapeIntervalSeconds } from './grafana-queries.ts'
import { builtIn, expand, type TimeRange } from './grafana-variables.ts'
import type { OpenedLink } from './span-links.ts'

/** What Explore shows after a click on a series with these labels, in a panel that shows this time. */
export function openedByClick(
  link: PanelLink,
  labels: Record<string, string>,
  range: TimeRange,
): OpenedLink[] {
  const fields = Object.entries(labels).map(([name, value]) => [`__field.labels.${name}`, value])
  const url = new URL(
    expand(link.url, { ...builtIn(range, scrapeIntervalSeconds), ...Object.fromEntries(fields) }),
    'http://grafana',
  )
  if (url.pathname !== '/explore') throw new Error(`${link.title} does not lead to Explore`)
  const panes: Record<string, Pane> = JSON.parse(url.searchParams.get('panes') ?? '{}')
  return Object.values(panes).flatMap(({ queries, range: { from, to } }) =>
    queries.map((query) => ({ query, range: { from: Number(from) / 1000, to: Number(to) / 1000 } })),
  )
}

interface Pane {
  queries: Query[]
  range: { from: string; to: string }
}
