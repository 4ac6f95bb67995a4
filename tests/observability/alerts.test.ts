import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../compose/servers/free-port.ts'
import { answersOk } from '../../compose/servers/server-process.ts'
import { alertRules } from '../support/observability/alert-rules.ts'
import { type AlertWatch, watchAlerts } from '../support/observability/firing-alerts.ts'
import { runQuery } from '../support/observability/grafana-queries.ts'
import { sendLateLine } from '../support/observability/late-line.ts'
import { type ObservedStack, startObservedStack } from '../support/observability/observed-stack.ts'
import { sendLogRecord, sendTrace } from '../support/observability/otlp.ts'
import { bucketPolicyWithout } from '../support/observability/store-users.ts'
import { ask, upload, usualTraffic } from '../support/observability/traffic.ts'
import { digestOf, keyOf, MiB, pathOf, randomDocument } from '../support/service/sample-documents.ts'
import { until } from '../support/waiting.ts'

// One story: each test goes on where the one before it has left the servers, as a day that gets worse does.

let stack: ObservedStack
let alerts: AlertWatch

beforeAll(async () => {
  stack = await startObservedStack({
    // What happens every few minutes has to happen now.
    loki: {
      compactor: { compaction_interval: '2s', apply_retention_interval: '2s' },
      limits_config: { query_timeout: '5s' },
    },
    tempo: {
      ingester: { trace_idle_period: '1s', flush_check_period: '1s' },
      compactor: { compaction: { compaction_cycle: '2s', block_retention: '8s' } },
      storage: { trace: { blocklist_poll: '1s' } },
    },
    // A queue that is soon full.
    collector: { exporters: { 'otlp_http/tempo': { sending_queue: { queue_size: 200_000 } } } },
    service: { OTEL_EXPORTER_OTLP_TIMEOUT: '3000' },
    shortened: { LokiCompactionNotRunning: ['10800', '3'] },
  })
  alerts = watchAlerts(stack.prometheus.url)
}, 600_000)

afterAll(async () => {
  // There is no store that they could write to.
  await Promise.all([stack?.loki.kill(), stack?.tempo.kill()])
  await stack?.stop()
}, 90_000)

describe('on a usual day', () => {
  it('nothing fires but the watchdog', async () => {
    await usualTraffic(stack.service)
    await flush(stack.loki)
    // What has risen before the first time is no rise to Prometheus.
    await alerts.waitForScrapes(4)
    await alerts.waitFor(['Watchdog'])
    await alerts.waitForSilence(['Watchdog'])
  }, 90_000)
})

describe('when stored bytes are damaged', () => {
  it('the mismatch fires at once, and so does the download that breaks off', async () => {
    const bytes = randomDocument(MiB)
    await upload(stack.service, 'damaged.pdf', bytes)
    const damaged = bytes.toReversed()
    const contentType = 'application/octet-stream'
    await stack.service.store.put(keyOf('reports', 'damaged.pdf', digestOf(bytes)), damaged, {
      size: damaged.length,
      contentType,
    })
    await ask(stack.service, 'GET', pathOf('reports', 'damaged.pdf'))
    await alerts.waitFor(['DocumentsIntegrityMismatch', 'DocumentsResponsesBrokenOff'])
  }, 90_000)
})

describe('when the store is slow', () => {
  it('the route that waits for it fires', async () => {
    stack.store.pause()
    const read = ask(stack.service, 'GET', `${pathOf('reports', 'weekly.pdf')}/tags/approved`)
    await Bun.sleep(2500)
    stack.store.resume()
    await read
    const [alert] = await alerts.waitFor(['DocumentsLatencyHigh'])
    expect(alert?.labels.route).toBe('/v1/tenants/:tenant/documents/:type/:name/tags/:tag')
  }, 90_000)
})

describe('when senders send what is not taken', () => {
  it('Loki and Tempo tell what they let go', async () => {
    await sendLateLine(stack)
    await sendTrace(stack.tempo.otlpUrl, 'endless', 3000)
    const fired = await alerts.waitFor([
      'LokiLinesDiscarded',
      'TempoSpansDiscarded',
      'CollectorExportFailing',
    ])
    expect(fired.map(({ labels }) => labels.reason ?? labels.exporter).toSorted()).toEqual([
      'otlp_http/loki',
      'too_far_behind',
      'trace_too_large',
    ])
  }, 90_000)
})

describe('when Loki and Tempo may not delete any more', () => {
  it('Loki is missed while it starts again', async () => {
    await sendLogRecord(stack.collector.otlpUrl, 'archive', 'old', Date.now() - 100)
    await stack.loki.stop()
    await alerts.waitFor(['LokiDown'])
  }, 90_000)

  it('compaction and retention fire', async () => {
    await stack.startLokiAgain(['s3-thanos', 'retention'])
    for (const name of ['loki', 'tempo'] as const) {
      await stack.users.change(name, bucketPolicyWithout(stack.buckets[name], 's3:DeleteObject'))
    }
    for (let blocks = 0; blocks < 3; blocks++) {
      await sendTrace(stack.tempo.otlpUrl, 'archive')
      await Bun.sleep(1200)
      await flush(stack.tempo)
    }
    await alerts.waitFor([
      'LokiCompactionNotRunning',
      'LokiRetentionFailing',
      'LokiStoreCallsFailing',
      'TempoCompactionFailing',
      'TempoRetentionErrors',
    ])
  }, 90_000)
})

describe('when Loki may not write any more', () => {
  it('it starts again all the same, and says that it is ready', async () => {
    await stack.users.change(
      'loki',
      bucketPolicyWithout(stack.buckets.loki, 's3:PutObject', 's3:DeleteObject'),
    )
    await stack.loki.kill()
    // With retention it would say what is wrong, and end.
    await stack.startLokiAgain(['s3-thanos'])
    await until(() => answersOk(`${stack.loki.url}/ready`))
  }, 90_000)
})

describe('when the store is gone', () => {
  it('everything that needs it fires', async () => {
    await stack.store.kill()
    const now = Date.now() / 1000
    const longAgo = { from: now - 80_000, to: now }
    const lines = {
      refId: 'A',
      datasource: { type: 'loki', uid: 'loki' },
      expr: '{service_name=~".+"}',
    } as const
    const traces = {
      refId: 'A',
      datasource: { type: 'tempo', uid: 'tempo' },
      query: '{ name = "no such span" }',
    } as const
    await sendLogRecord(`${stack.loki.url}/otlp`, 'archive', 'new')
    await sendTrace(stack.tempo.otlpUrl, 'archive')
    await Bun.sleep(1200)
    await flush(stack.loki)
    await flush(stack.tempo)
    const sources = { loki: stack.loki.url, tempo: stack.tempo.url }
    const asking = setInterval(() => {
      void ask(stack.service, 'GET', '/v1/tenants/acme/documents?type=reports').catch(() => {})
      void runQuery(lines, sources, longAgo).catch(() => {})
      void runQuery(traces, sources, longAgo).catch(() => {})
    }, 1000)
    try {
      await alerts.waitFor([
        'DocumentsErrorRateHigh',
        'DocumentsStoreUnreachable',
        'DocumentsStoreCallsFailing',
        'LokiFlushFailing',
        'LokiRequestErrors',
        'TempoFlushFailing',
        'TempoBlocklistPollFailing',
        'TempoRequestErrors',
        'ScrapeTargetDown',
      ])
    } finally {
      clearInterval(asking)
    }
  }, 90_000)
})

describe('when what observes goes, too', () => {
  it('Tempo is missed, and the queue before it overflows', async () => {
    await stack.tempo.kill()
    const { otlpUrl } = stack.collector
    const sending = setInterval(() => void sendTrace(otlpUrl, 'endless', 10).catch(() => {}), 200)
    try {
      await alerts.waitFor(['TempoDown', 'CollectorQueueFilling', 'CollectorQueueFull'])
    } finally {
      clearInterval(sending)
    }
  }, 90_000)

  it('a service that does not reach the store has no tickets to give', async () => {
    await stack.startStoreAgain()
    await stack.service.stop()
    await alerts.waitFor(['DocumentsDown'])
    const env = { S3_ENDPOINT: `http://127.0.0.1:${await freePort()}` }
    await stack.startServiceAgain({ env, startedBy: '/livez' })
    const [alert] = await alerts.waitFor(['DocumentsTicketMethodLost'])
    expect(alert?.labels.state).toBe('unknown')
  }, 90_000)

  it('a service without its Collector tells what it loses', async () => {
    await stack.collector.kill()
    const asking = setInterval(() => void ask(stack.service, 'GET', '/openapi.json').catch(() => {}), 200)
    try {
      const fired = await alerts.waitFor(['DocumentsTelemetryDropped'])
      expect(fired[0]?.labels.reason).toBe('export_failed')
    } finally {
      clearInterval(asking)
    }
  }, 90_000)

  it('a rule that cannot be evaluated is no silence', async () => {
    const broken = { alert: 'Broken', expr: 'up * on () up' }
    const rules = Bun.YAML.stringify({ groups: [{ name: 'broken', rules: [broken] }] })
    await writeFile(join(stack.prometheusFolder, 'rules/broken.yaml'), rules)
    process.kill(stack.prometheus.pid, 'SIGHUP')
    const [alert] = await alerts.waitFor(['RuleEvaluationFailing'])
    expect(alert?.labels.rule_group).toEndWith('rules/broken.yaml;broken')
  }, 90_000)
})

describe('minutes after Loki may not write any more', () => {
  it('its index is missed', async () => {
    // It looks for files to write once a minute.
    await alerts.waitFor(['LokiIndexUploadFailing'], 90)
  }, 120_000)
})

describe('every alert of the kit', () => {
  it('was provoked above', () => {
    const names = alertRules().map(({ alert }) => alert)
    expect(alerts.seen()).toEqual(names.toSorted())
  })
})

function flush({ url }: { url: string }): Promise<Response> {
  return fetch(`${url}/flush`, { method: 'POST' })
}
