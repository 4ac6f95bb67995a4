import type { Row } from './dashboard.ts'
import { graph, type PlacelessPanel, stat } from './panel.ts'
import { p95By, rateBy } from './query.ts'

/** Returns a panel of the number of instances of a Prometheus job that return their metrics. */
export function instancesStat(job: string): PlacelessPanel {
  return stat({
    title: 'Instances',
    description: 'Instances that return their metrics.',
    expr: `sum(up{job="${job}"})`,
  })
}

export interface RequestsOptions {
  /** A histogram in seconds with the labels `route` and `status_code`, without `_count` and `_bucket`. */
  metric: string
  /** RE2, for the label `route`: the routes that users wait for. */
  routes: string
  /** Describes these routes. */
  description: string
}

/** Returns a row of rate, errors and duration of requests by route, as Loki and Tempo count them. */
export function requestsRow({ metric, routes, description }: RequestsOptions): Row {
  return {
    title: 'Requests',
    panels: [
      graph({
        title: 'Requests by route',
        description,
        unit: 'reqps',
        queries: [rateBy('route', `${metric}_count{route=~"${routes}"}`)],
      }),
      graph({
        title: 'Failed requests by route',
        description: 'Answers with a 5xx per second.',
        unit: 'reqps',
        queries: [rateBy('route, status_code', `${metric}_count{status_code=~"5.."}`)],
      }),
      graph({
        title: 'Time to answer by route, 95 %',
        description,
        unit: 's',
        queries: [p95By('route', metric, `{route=~"${routes}"}`)],
      }),
    ],
  }
}
