import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Dashboard } from '@grafana/schema'
import { collector } from '../../observability/grafana/definitions/collector.ts'
import { documents } from '../../observability/grafana/definitions/documents.ts'
import { loki } from '../../observability/grafana/definitions/loki.ts'
import { store } from '../../observability/grafana/definitions/store.ts'
import { tempo } from '../../observability/grafana/definitions/tempo.ts'
import type { PanelLink } from '../../observability/grafana/explore-link.ts'
import { graph } from '../../observability/grafana/panel.ts'
import type { Query } from '../../observability/grafana/query.ts'
import { alertRules } from '../support/observability/alert-rules.ts'
import { allChosen, emptyQueries, panelsOf, queriesOf } from '../support/observability/dashboard-queries.ts'
import { provisionedSources } from '../support/observability/grafana-provisioning.ts'
import { runQuery } from '../support/observability/grafana-queries.ts'
import type { TimeRange } from '../support/observability/grafana-variables.ts'
import { sendLateLine } from '../support/observability/late-line.ts'
import { type ObservedStack, startObservedStack } from '../support/observability/observed-stack.ts'
import { openedByClick } from '../support/observability/panel-links.ts'
import { runbookQueries, unknownMetrics } from '../support/observability/runbook-queries.ts'
import {
  logsOfSpan,
  metricsOfSpan,
  spansOf,
  type TempoTrace,
  tracesOfLine,
} from '../support/observability/span-links.ts'
import { upload, usualTraffic } from '../support/observability/traffic.ts'
import { randomDocument } from '../support/service/sample-documents.ts'
import { until } from '../support/waiting.ts'

let stack: ObservedStack
let range: TimeRange

/** Everything that the panels show happens once: ordinary traffic, and some trouble. */
beforeAll(async () => {
  stack = await startObservedStack({
    // What happens every few minutes has to happen at once.
    loki: { compactor: { compaction_interval: '2s', apply_retention_interval: '2s' } },
    tempo: {
      ingester: { trace_idle_period: '1s', flush_check_period: '1s' },
      storage: { trace: { blocklist_poll: '1s' } },
    },
  })
  await usualTraffic(stack.service)
  await finds(search)
  await sendLateLine(stack)
  await fetch(`${stack.loki.url}/flush`, { method: 'POST' })
  await fetch(`${stack.tempo.url}/flush`, { method: 'POST' })
  await usualTraffic(stack.service)
  await until(() => finds({ ...metric, instant: true, expr: 'tempodb_blocklist_length > 0' }))
  await finds({ ...line, expr: '{service_name=~".+"}' })
  await finds(search)
  await withoutStore()
  await usualTraffic(stack.service)
  range = lastMinutes()
}, 600_000)

afterAll(() => stack?.stop())

/** The time that a dashboard shows if it is opened now. */
function lastMinutes(): TimeRange {
  const now = Date.now() / 1000
  return { from: now - 300, to: now }
}

const search = { refId: 'A', datasource: { type: 'tempo', uid: 'tempo' }, query: '{ }' } as const
const line = { refId: 'A', datasource: { type: 'loki', uid: 'loki' } } as const

const metric = { refId: 'A', datasource: { type: 'prometheus', uid: 'prometheus' } } as const

async function finds(query: Query): Promise<boolean> {
  return (await runQuery(query, stack.sources, lastMinutes())).found > 0
}

/** Takes the store away until a search has failed because of it, while clients continue to send requests. */
async function withoutStore(): Promise<void> {
  await stack.store.kill()
  const asking = setInterval(() => {
    void upload(stack.service, 'monthly.pdf', randomDocument(1000)).catch(() => {})
  }, 500)
  try {
    // It matches nothing, so it has to look everywhere.
    const everywhere = { ...search, query: '{ name = "no such span" }' }
    await until(() =>
      finds(everywhere).then(
        () => false,
        () => true,
      ),
    )
  } finally {
    clearInterval(asking)
  }
  await stack.startStoreAgain()
}

const empty = (dashboard: Dashboard) => emptyQueries(dashboard, stack.sources, range)

/** Returns the empty queries once Prometheus has scraped everything, and the last batch of telemetry has arrived. */
async function emptyInTheEnd(dashboard: Dashboard): Promise<string[]> {
  const deadline = performance.now() + 300_000
  for (;;) {
    range = lastMinutes()
    const found = await empty(dashboard)
    if (found.length === 0 || performance.now() > deadline) return found
    await Bun.sleep(500)
  }
}

describe('every panel, after real traffic', () => {
  it('shows something of the document service', async () => {
    expect(await emptyInTheEnd(documents)).toEqual([])
  }, 600_000)

  it('shows something of Loki', async () => {
    expect(await emptyInTheEnd(loki)).toEqual([])
  }, 600_000)

  it('shows something of Tempo', async () => {
    expect(await emptyInTheEnd(tempo)).toEqual([])
  }, 600_000)

  it('shows something of the Collector', async () => {
    expect(await emptyInTheEnd(collector)).toEqual([])
  }, 600_000)

  it('shows something of the store', async () => {
    expect(await emptyInTheEnd(store)).toEqual([])
  }, 600_000)
})

describe('a panel that shows nothing', () => {
  it('is noticed, whatever is wrong with its query', async () => {
    const planted = [
      graph({
        title: 'A typing error',
        description: '',
        unit: 'short',
        queries: [['http_server_requests', '']],
      }),
      graph({ title: 'No PromQL', description: '', unit: 'short', queries: [['sum by (', '']] }),
      graph({
        title: 'No such variable',
        description: '',
        unit: 'short',
        queries: [['up{job="$nowhere"}', '']],
      }),
      graph({ title: 'Nothing but NaN', description: '', unit: 'short', queries: [['up * 0 / 0', '']] }),
      graph({ title: 'No query', description: '', unit: 'short', queries: [] }),
    ]
    const found = await empty({ ...documents, panels: [...(documents.panels ?? []), ...planted] })
    expect(found.map((each) => each.slice(0, each.indexOf(':')))).toEqual(
      planted.map(({ title }) => title ?? ''),
    )
  }, 600_000)
})

describe('from a log line to its trace and back', () => {
  it('leads from the line of a request to exactly its trace', async () => {
    const { response, traceId } = await tracedUpload()
    const [labels] = await linesOf(`cloudlysis_correlation_id="${response.headers.get('x-correlation-id')}"`)
    const queries = tracesOfLine(source('loki'), labels ?? {})
    expect(queries.map(({ query }) => query)).toEqual([traceId])
    const answers = await Promise.all(queries.map((query) => runQuery(query, stack.sources, range)))
    const spans = answers.flatMap(({ body }) => spansOf(body as TempoTrace))
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]))
    expect(spans[0]?.name).toBe('PUT /v1/tenants/:tenant/documents/:type/:name')
  }, 600_000)

  it('leads from any span of a trace to the lines of its request, and no other', async () => {
    const { response, traceId } = await tracedUpload()
    const { body } = await runQuery({ ...search, query: traceId }, stack.sources, range)
    const spans = spansOf(body as TempoTrace)
    expect(spans.length).toBeGreaterThan(1)
    for (const span of spans) {
      const opened = logsOfSpan(source('tempo'), span)
      const { labels } = await runQuery(opened.query, stack.sources, opened.range)
      const of = (label: string) => [...new Set(labels.map((each) => each[label]))]
      expect(of('trace_id')).toEqual([traceId])
      expect(of('cloudlysis_correlation_id')).toEqual([response.headers.get('x-correlation-id') ?? ''])
      expect(of('cloudlysis_event')).toContain('request.answered')
    }
  }, 600_000)

  it('leads from the span of a request to how its route does', async () => {
    const { traceId } = await tracedUpload()
    const { body } = await runQuery({ ...search, query: traceId }, stack.sources, range)
    const [request] = spansOf(body as TempoTrace)
    if (request === undefined) throw new Error('the trace is empty')
    const opened = metricsOfSpan(source('tempo'), request)
    expect(opened).toHaveLength(2)
    for (const { query } of opened) {
      expect(String(query.expr)).toContain('route="/v1/tenants/:tenant/documents/:type/:name"')
      // Its range ends in the future.
      expect((await runQuery(query, stack.sources, range)).found).toBeGreaterThan(0)
    }
  }, 600_000)
})

describe('the links of panels', () => {
  it('open what the series is about that was clicked on', async () => {
    const opened: string[] = []
    for (const panel of panelsOf(documents)) {
      const links = (panel.fieldConfig?.defaults.links ?? []) as PanelLink[]
      for (const link of links) {
        const variables = await allChosen(documents, stack.sources, range)
        const [query] = queriesOf(panel)
        if (query === undefined) throw new Error(`${panel.title} has links and no query`)
        const { labels } = await runQuery(query, stack.sources, range, variables)
        const uploads = labels.find(({ method, route }) => method === 'PUT' && route?.endsWith('/:name'))
        for (const each of openedByClick(link, uploads ?? {}, range)) {
          const { found } = await runQuery(each.query, stack.sources, each.range)
          opened.push(`${panel.title}: ${link.title}: ${found > 0 ? 'found' : 'nothing'}`)
        }
      }
    }
    expect(opened).toEqual([
      'Requests by route: Log lines of its requests: found',
      'Failed requests by route: Traces of its failed requests: found',
      'Failed requests by route: Log lines of its requests: found',
    ])
  }, 600_000)
})

describe('the queries of the runbook', () => {
  it('are ones that the servers understand, at least one for each alert', async () => {
    const { data } = await (await fetch(`${stack.prometheus.url}/api/v1/label/__name__/values`)).json()
    expect(unknownMetrics(data)).toEqual([])
    const queries = runbookQueries(data)
    const asked = new Set(queries.map(({ alert }) => alert))
    expect(alertRules().filter(({ alert }) => !asked.has(alert))).toEqual([])
    for (const { query } of queries) await runQuery(query, stack.sources, range)
  }, 600_000)
})

function source(uid: string) {
  const places = {
    PROMETHEUS_URL: stack.prometheus.url,
    LOKI_URL: stack.loki.url,
    TEMPO_URL: stack.tempo.url,
  }
  const found = provisionedSources(places).find((each) => each.uid === uid)
  if (found === undefined) throw new Error(`no data source ${uid} is provisioned`)
  return found
}

/** An upload whose lines and trace have arrived. */
async function tracedUpload(): Promise<{ response: Response; traceId: string }> {
  const response = await upload(stack.service, 'traced.pdf', randomDocument(1000))
  const [, traceId = ''] = response.headers.get('traceparent')?.split('-') ?? []
  await until(async () => (await linesOf(`trace_id="${traceId}"`)).length > 0)
  await until(() => finds({ ...search, query: traceId }).catch(() => false))
  range = lastMinutes()
  return { response, traceId }
}

async function linesOf(filter: string): Promise<Record<string, string>[]> {
  const expr = `{service_name="cloudlysis-documents"} | ${filter}`
  return (await runQuery({ ...line, expr }, stack.sources, lastMinutes())).labels
}
