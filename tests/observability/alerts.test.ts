import { afterAll, describe, expect, it } from 'bun:test'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../compose/servers/free-port.ts'
import { answersOk } from '../../compose/servers/server-process.ts'
import { metricSum } from '../../observability/proof/formats/prometheus-text.ts'
import { makeTempFolder, removeTempFolder } from '../../service/cli/temp-folder.ts'
import { alertRules } from '../support/observability/alert-rules.ts'
import { watchAlerts } from '../support/observability/firing-alerts.ts'
import { runQuery } from '../support/observability/grafana-queries.ts'
import { sendLateLine } from '../support/observability/late-line.ts'
import { startObservedStack } from '../support/observability/observed-stack.ts'
import { sendLogRecord, sendTrace } from '../support/observability/otlp.ts'
import { bucketPolicyWithout } from '../support/observability/store-users.ts'
import { ask, upload, usualTraffic } from '../support/observability/traffic.ts'
import { digestOf, keyOf, MiB, pathOf, randomDocument } from '../support/service/sample-documents.ts'
import { until } from '../support/waiting.ts'

// One story: each test continues with the servers as the one before has left them, like a day that gets worse.

const auditFolder = await makeTempFolder('audit')
const stack = await startObservedStack({
  // What happens every few minutes has to happen at once.
  loki: {
    compactor: { compaction_interval: '2s', apply_retention_interval: '2s' },
    limits_config: { query_timeout: '5s' },
  },
  tempo: {
    ingester: { trace_idle_period: '1s', flush_check_period: '1s' },
    compactor: { compaction: { compaction_cycle: '2s', block_retention: '8s' } },
    storage: { trace: { blocklist_poll: '1s' } },
  },
  // A small queue.
  collector: { exporters: { 'otlp_http/tempo': { sending_queue: { queue_size: 200_000 } } } },
  service: { OTEL_EXPORTER_OTLP_TIMEOUT: '3000', AUDIT_LOG_FILE: join(auditFolder, 'audit.jsonl') },
  shortened: { LokiCompactionNotRunning: ['10800', '3'] },
})
const alerts = watchAlerts(stack.prometheus.url)

afterAll(async () => {
  // Stopping them would take long: there is no store that they could write to.
  await Promise.all([stack?.loki.kill(), stack?.tempo.kill()])
  await stack?.stop()
  await removeTempFolder(auditFolder)
}, 600_000)

describe('on a usual day', () => {
  it('nothing fires except the watchdog', async () => {
    await usualTraffic(stack.service)
    await flush(stack.loki)
    // Prometheus does not see what has risen before its first scrape.
    await alerts.waitForScrapes(4)
    await alerts.waitFor(['Watchdog'])
    await alerts.waitForSilence(['Watchdog'])
  }, 600_000)
})

describe('when the audit log cannot be written', () => {
  it('an alert fires until its folder is back', async () => {
    const asked = () => ask(stack.service, 'GET', '/v1/tenants/acme/documents')
    await rename(auditFolder, `${auditFolder}.away`)
    expect((await asked()).status).toBe(500)
    const [alert] = await alerts.waitFor(['DocumentsAuditFailing'])
    expect(alert?.labels.severity).toBe('critical')
    await rename(`${auditFolder}.away`, auditFolder)
    // The next scrape finds it.
    await until(async () => (await asked()).status === 200)
  }, 600_000)
})

describe('when stored bytes are damaged', () => {
  it('alerts fire at once for the mismatch, and for the download that breaks off', async () => {
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
  }, 600_000)
})

describe('when the store is slow', () => {
  it('an alert fires for the route that waits for the store', async () => {
    stack.store.pause()
    const read = ask(stack.service, 'GET', `${pathOf('reports', 'weekly.pdf')}/tags/approved`)
    // The alert is about answers that take more than two seconds.
    await Bun.sleep(2500)
    stack.store.resume()
    await read
    const [alert] = await alerts.waitFor(['DocumentsLatencyHigh'])
    expect(alert?.labels.route).toBe('/v1/tenants/:tenant/documents/:type/:name/tags/:tag')
  }, 600_000)
})

describe('when senders send what is refused', () => {
  it('alerts fire for what Loki and Tempo discard', async () => {
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
  }, 600_000)
})

describe('when Loki and Tempo may not delete any more', () => {
  it('an alert fires for Loki while it is down', async () => {
    await sendLogRecord(stack.collector.otlpUrl, 'archive', 'old', Date.now() - 100)
    await stack.loki.stop()
    await alerts.waitFor(['LokiDown'])
  }, 600_000)

  it('alerts fire for compaction and retention', async () => {
    await stack.startLokiAgain(['s3-thanos', 'retention'])
    for (const name of ['loki', 'tempo'] as const) {
      await stack.users.change(name, bucketPolicyWithout(stack.buckets[name], 's3:DeleteObject'))
    }
    for (let blocks = 0; blocks < 3; blocks++) {
      const before = await blocksFlushed()
      await sendTrace(stack.tempo.otlpUrl, 'archive')
      await flush(stack.tempo)
      await until(async () => (await blocksFlushed()) > before)
    }
    await alerts.waitFor([
      'LokiCompactionNotRunning',
      'LokiRetentionFailing',
      'LokiStoreCallsFailing',
      'TempoCompactionFailing',
      'TempoRetentionErrors',
    ])
  }, 600_000)
})

describe('when Loki may not write any more', () => {
  it('Loki without the right to write still starts again, and says that it is ready', async () => {
    await stack.users.change(
      'loki',
      bucketPolicyWithout(stack.buckets.loki, 's3:PutObject', 's3:DeleteObject'),
    )
    await stack.loki.kill()
    // With retention it would say what is wrong, and end.
    await stack.startLokiAgain(['s3-thanos'])
    await until(() => answersOk(`${stack.loki.url}/ready`))
  }, 600_000)
})

describe('when the store is gone', () => {
  it('an alert fires for everything that needs the store', async () => {
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
  }, 600_000)
})

describe('when the observing servers fail as well', () => {
  it('alerts fire for Tempo, and for the overflowing queue in front of it', async () => {
    await stack.tempo.kill()
    const { otlpUrl } = stack.collector
    const sending = setInterval(() => void sendTrace(otlpUrl, 'endless', 10).catch(() => {}), 200)
    try {
      await alerts.waitFor(['TempoDown', 'CollectorQueueFilling', 'CollectorQueueFull'])
    } finally {
      clearInterval(sending)
    }
  }, 600_000)

  it('an alert fires for a service that gives no tickets because it does not reach the store', async () => {
    await stack.startStoreAgain()
    await stack.service.stop()
    await alerts.waitFor(['DocumentsDown'])
    const env = { S3_ENDPOINT: `http://127.0.0.1:${await freePort()}` }
    await stack.startServiceAgain({ env, startedBy: '/livez' })
    const [alert] = await alerts.waitFor(['DocumentsTicketMethodLost'])
    expect(alert?.labels.state).toBe('unknown')
  }, 600_000)

  it('an alert fires for the telemetry that a service without its Collector loses', async () => {
    await stack.collector.kill()
    const asking = setInterval(() => void ask(stack.service, 'GET', '/openapi.json').catch(() => {}), 200)
    try {
      const fired = await alerts.waitFor(['DocumentsTelemetryDropped'])
      expect(fired[0]?.labels.reason).toBe('export_failed')
    } finally {
      clearInterval(asking)
    }
  }, 600_000)

  it('an alert fires for a rule that cannot be evaluated', async () => {
    const broken = { alert: 'Broken', expr: 'up * on () up' }
    const rules = Bun.YAML.stringify({ groups: [{ name: 'broken', rules: [broken] }] })
    await writeFile(join(stack.prometheusFolder, 'rules/broken.yaml'), rules)
    process.kill(stack.prometheus.pid, 'SIGHUP')
    const [alert] = await alerts.waitFor(['RuleEvaluationFailing'])
    expect(alert?.labels.rule_group).toEndWith('rules/broken.yaml;broken')
  }, 600_000)
})

describe('minutes after Loki may not write any more', () => {
  it('an alert fires for the index of a Loki that may not write', async () => {
    // It looks for files to write once a minute.
    await alerts.waitFor(['LokiIndexUploadFailing'])
  }, 600_000)
})

describe('every alert of the kit', () => {
  it('every alert of the kit was provoked by these tests, except for the one about old keys', () => {
    const names = alertRules().map(({ alert }) => alert)
    // Keys of an issuer are old after ten minutes only: `alerts-rules.test.ts` and the tests of `authn` stand for it.
    const provoked = names.filter((name) => name !== 'DocumentsIssuerUnreachable')
    expect(alerts.seen()).toEqual(provoked.toSorted())
  })
})

function flush({ url }: { url: string }): Promise<Response> {
  return fetch(`${url}/flush`, { method: 'POST' })
}

/** Blocks that Tempo has written to the store since it started. */
async function blocksFlushed(): Promise<number> {
  const metrics = await (await fetch(`${stack.tempo.url}/metrics`)).text()
  return metricSum(metrics, 'tempo_ingester_blocks_flushed_total') ?? 0
}
