import { describe, expect, it } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import type { Dashboard } from '@grafana/schema'
import { dashboards } from '../../../../observability/grafana/dashboards.ts'
import { alertRules } from '../../../support/observability/alert-rules.ts'
import { panelsOf, queriesOf } from '../../../support/observability/dashboard-queries.ts'
import { provisionedSources } from '../../../support/observability/grafana-provisioning.ts'
import { scrapeIntervalSeconds } from '../../../support/observability/grafana-queries.ts'

const folder = new URL('../../../../observability/grafana/', import.meta.url)
const sources = provisionedSources({
  PROMETHEUS_URL: 'http://p',
  LOKI_URL: 'http://l',
  TEMPO_URL: 'http://t',
})
const panels = dashboards.flatMap(panelsOf)

describe('the dashboards that Grafana loads', () => {
  it('are those that are defined here (bun observability/grafana/write-dashboards.ts)', () => {
    const names = readdirSync(new URL('dashboards/', folder)).toSorted()
    expect(names).toEqual(dashboards.map(({ uid }) => `${uid}.json`).toSorted())
    for (const dashboard of dashboards) {
      const file = readFileSync(new URL(`dashboards/${dashboard.uid}.json`, folder), 'utf8')
      expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(dashboard)))
    }
  })

  it('keep their addresses', () => {
    expect(dashboards.map(({ uid, title }) => `${uid}: ${title}`)).toEqual([
      'cloudlysis-documents: Document service',
      'cloudlysis-loki: Loki',
      'cloudlysis-tempo: Tempo',
      'cloudlysis-collector: Collector',
      'cloudlysis-store: Object store',
    ])
  })

  it('find each other by their tag', () => {
    for (const { tags = [], links = [] } of dashboards) {
      expect(links.map((link) => link.tags)).toEqual([['cloudlysis']])
      expect(tags).toContain('cloudlysis')
    }
  })

  it('say of every panel what is seen there', () => {
    expect(panels.filter(({ description = '' }) => !/^[A-Z`\d].+\.$/.test(description))).toEqual([])
  })

  it('ask only data sources that are provisioned, in their own words', () => {
    const known = sources.map(({ uid, type }) => `${uid} ${type}`)
    const asked = panels.flatMap(queriesOf).map(({ datasource }) => `${datasource.uid} ${datasource.type}`)
    expect([...new Set(asked)].toSorted()).toEqual(known.toSorted())
  })

  it('show what every alert is about', () => {
    const asked = panels
      .flatMap(queriesOf)
      .map(({ expr }) => String(expr))
      .join(' ')
    const families = /\b(?:documents|http_server|loki|object_store|otelcol|telemetry|tempo|tempodb)_\w+/g
    const alerted = new Set(alertRules().flatMap(({ expr }) => expr.match(families) ?? []))
    expect(alerted.size).toBeGreaterThan(20)
    // What Loki's classic client counts; the panels of its calls say that they are about the other one.
    alerted.delete('loki_s3_request_duration_seconds_count')
    expect([...alerted].filter((metric) => !new RegExp(`\\b${metric}\\b`).test(asked))).toEqual([])
  })

  it('place panels next to and below each other, with unique ids', () => {
    expect(dashboards.flatMap(overlapping)).toEqual([])
    for (const { panels: all = [] } of dashboards) {
      expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
    }
  })
})

describe('the data sources', () => {
  it('know how often Prometheus scrapes', () => {
    const config = Bun.YAML.parse(readFileSync(new URL('../prometheus/prometheus.yaml', folder), 'utf8')) as {
      global: { scrape_interval: string }
    }
    expect(config.global.scrape_interval).toBe(`${scrapeIntervalSeconds}s`)
    expect(sources.find(({ uid }) => uid === 'prometheus')?.jsonData.timeInterval).toBe(
      `${scrapeIntervalSeconds}s`,
    )
  })

  it('take their addresses from the environment', () => {
    expect(sources.map(({ url }) => url)).toEqual(['http://p', 'http://l', 'http://t'])
    expect(() => provisionedSources({})).toThrow(`\${PROMETHEUS_URL} is not set`)
  })
})

/** Panels that share a cell of the grid, or stick out of it. */
function overlapping({ title, panels: all = [] }: Dashboard): string[] {
  const taken = new Set<string>()
  const wrong: string[] = []
  for (const { id, gridPos } of all) {
    const { x = 0, y = 0, w = 0, h = 0 } = gridPos ?? {}
    const cells = Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`)
    if (cells.length === 0 || x + w > 24 || cells.some((cell) => taken.has(cell)))
      wrong.push(`${title} ${id}`)
    for (const cell of cells) taken.add(cell)
  }
  return wrong
}
