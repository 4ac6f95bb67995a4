import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { join } from 'node:path'
import { type RunningLoki, startLoki } from '../../compose/servers/loki.ts'
import { type RunningTempo, startTempo } from '../../compose/servers/tempo.ts'
import { startToxiproxy } from '../../compose/servers/toxiproxy.ts'
import { writeCredentialsFile } from '../../compose/stacks/credentials-file.ts'
import {
  type CollectorVariant,
  type LokiVariant,
  renderCollector,
  renderLoki,
  renderTempo,
  type TempoVariant,
} from '../../observability/config/render.ts'
import { type ObservabilitySettings, observabilitySettings } from '../../observability/config/settings.ts'
import { newMarker } from '../../observability/proof/marker.ts'
import { queryLines } from '../../observability/proof/servers/loki-api.ts'
import { linesOf, sendLog, sendTrace } from '../../observability/proof/servers/otlp.ts'
import { traceById } from '../../observability/proof/servers/tempo-api.ts'
import { folderForTests } from '../support/folder.ts'
import { keysIn } from '../support/observability/bucket-objects.ts'
import { type RunningCollector, startCollector } from '../support/observability/collector-server.ts'
import { beginWholeProof } from '../support/observability/whole-proof.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { storeForTests } from '../support/stores/store.ts'
import { until } from '../support/waiting.ts'

/**
 * What validate does not run: the bases on local disk behind the Collector, and all variants at once. The tests run
 * concurrently, since they mostly wait for Loki.
 */

// Time limits catch what hangs, and are far above what a busy machine needs.
setDefaultTimeout(12 * 60_000)

const store = await storeForTests()
const folder = await folderForTests('cloudlysis-servers-')
const credentialsFile = await writeCredentialsFile(folder, store)
beginWholeProof()

interface Pair {
  loki: RunningLoki
  tempo: RunningTempo
  collector: RunningCollector
  stop(): Promise<void>
}

interface PairVariants {
  loki: LokiVariant[]
  tempo: TempoVariant[]
  collector: CollectorVariant[]
}

/** Starts a Loki, a Tempo and a Collector in front of them. */
async function startPair(variants: PairVariants, settings?: ObservabilitySettings): Promise<Pair> {
  const own = await folderForTests('pair-')
  const starting = [
    startLoki({
      config: (places) => renderLoki(variants.loki, { store: settings?.loki, places }),
      dataDir: join(own, 'loki'),
      credentialsFile,
    }),
    startTempo({
      config: (places) => renderTempo(variants.tempo, { store: settings?.tempo, places }),
      dataDir: join(own, 'tempo'),
      credentialsFile,
      // It hangs after queries; by then it has written everything.
      stopSecondsMax: 4,
    }),
  ] as const
  const [loki, tempo] = await Promise.all(starting)
  const urls = { lokiUrl: loki.url, tempoUrl: tempo.otlpUrl }
  const collector = await startCollector({
    config: (places) => renderCollector(variants.collector, { ...urls, places }),
  })
  return {
    ...{ loki, tempo, collector },
    async stop() {
      await collector.stop()
      await Promise.all([loki.stop(), tempo.stop()])
    },
  }
}

async function settingsIn(prefixes: { loki: string; tempo: string }): Promise<ObservabilitySettings> {
  const { endpoint, region } = store
  const env = {
    S3_ENDPOINT: endpoint,
    S3_REGION: region,
    S3_FORCE_PATH_STYLE: String(store.forcePathStyle),
    S3_INSECURE: String(endpoint.startsWith('http:')),
    S3_BUCKET_LOKI: await freshBucket(store),
    S3_PREFIX_LOKI: prefixes.loki,
    S3_BUCKET_TEMPO: await freshBucket(store),
    S3_PREFIX_TEMPO: prefixes.tempo,
  }
  return observabilitySettings(env, { readFile: () => '' })
}

function filesIn(dataDir: string, glob: string): Promise<string[]> {
  return Array.fromAsync(new Bun.Glob(glob).scan(dataDir))
}

/** Sends a line and a trace to the Collector and waits until both can be read from Loki and Tempo. */
async function sendThrough({ loki, tempo, collector }: Pair, orgId?: string) {
  const marker = newMarker()
  const range = { from: marker.at - 60_000, to: marker.at + 60_000 }
  const query = `{service_name="${marker.serviceName}"}`
  expect((await sendLog(collector, marker)).status).toBe(200)
  expect((await sendTrace(collector, marker)).status).toBe(200)
  return until(async () => {
    const { lines } = await queryLines({ url: loki.url, orgId }, query, range)
    const trace = await traceById({ url: tempo.url, orgId }, marker.traceId)
    return lines.length === linesOf(marker).length && trace !== null && { marker, lines, trace }
  })
}

describe('Loki and Tempo behind the Collector', () => {
  it.concurrent('run on local disk, and have written everything when they end', async () => {
    const pair = await startPair({ loki: [], tempo: [], collector: [] })
    const { marker, lines, trace } = await sendThrough(pair)
    expect(lines[0]?.structuredMetadata.trace_id).toBe(marker.traceId)
    expect(trace.spans.map(({ spanId }) => spanId)).toContain(marker.rootSpanId)
    await pair.stop()
    expect(await filesIn(pair.loki.dataDir, 'chunks/fake/*/*')).toHaveLength(1)
    // Two where a quarter of an hour, at which Loki ships its index, passed meanwhile.
    expect(await filesIn(pair.loki.dataDir, 'chunks/index/index_*/*')).not.toBeEmpty()
    expect(await filesIn(pair.tempo.dataDir, 'blocks/single-tenant/*/meta.json')).toHaveLength(1)
  })

  it.concurrent('run with all variants, and have written everything below the prefixes, by tenant, when they end', async () => {
    const settings = await settingsIn({ loki: 'logs/', tempo: 'acme/traces/' })
    const pair = await startPair(
      {
        loki: ['s3-thanos', 'retention', 'multi-tenant', 'hetzner'],
        tempo: ['s3', 'retention', 'multi-tenant', 'hetzner'],
        collector: ['multi-tenant'],
      },
      settings,
    )
    await sendThrough(pair, 'cloudlysis')
    await pair.stop()
    expect(await pair.loki.exited).toBe(0)
    const lokiKeys = await keysIn(store, settings.loki?.bucket ?? '')
    expect(lokiKeys.filter((key) => !/^logs\/(cloudlysis|index)\//.test(key))).toEqual([])
    expect(lokiKeys.filter((key) => key.startsWith('logs/cloudlysis/'))).toHaveLength(1)
    expect(lokiKeys.some((key) => key.startsWith('logs/index/index_'))).toBeTrue()
    const tempoKeys = await keysIn(store, settings.tempo?.bucket ?? '')
    expect(tempoKeys.filter((key) => !key.startsWith('acme/traces/cloudlysis/'))).toEqual([])
    expect(tempoKeys.some((key) => key.endsWith('/meta.json'))).toBeTrue()
  })

  it.concurrent('run with the classic client, whose prefix may be nested', async () => {
    const settings = await settingsIn({ loki: 'acme/logs_1/', tempo: 'tempo/' })
    const config = settings.loki
    expect(config?.client).toBe('classic')
    const loki = await startLoki({
      config: (places) => renderLoki(['s3-classic', 'retention'], { store: config, places }),
      credentialsFile,
    })
    expect((await sendLog({ otlpUrl: `${loki.url}/otlp` }, newMarker())).status).toBe(204)
    await loki.stop()
    const keys = await keysIn(store, config?.bucket ?? '')
    expect(keys.filter((key) => !/^acme\/logs_1\/(fake|index)\//.test(key))).toEqual([])
    expect(keys.filter((key) => key.startsWith('acme/logs_1/fake/'))).toHaveLength(1)
    expect(keys.some((key) => key.startsWith('acme/logs_1/index/index_'))).toBeTrue()
  })
})

describe('the Collector', () => {
  it.concurrent('takes what arrives while Tempo is away, and delivers it afterwards', async () => {
    const toxiproxy = await startToxiproxy()
    const tempo = await startTempo({ config: (places) => renderTempo([], { places }), stopSecondsMax: 4 })
    const way = await toxiproxy.addProxy('tempo', new URL(tempo.otlpUrl).host)
    const urls = { lokiUrl: 'http://127.0.0.1:1', tempoUrl: `http://${way.host}` }
    const logFile = join(folder, 'collector.log')
    const collector = await startCollector({
      config: (places) => renderCollector([], { ...urls, places }),
      logFile,
    })
    const marker = newMarker()
    await way.setEnabled(false)
    expect((await sendTrace(collector, marker)).status).toBe(200)
    await until(async () => (await Bun.file(logFile).text()).includes('Exporting failed. Will retry'))
    expect(await traceById({ url: tempo.url }, marker.traceId)).toBeNull()
    await way.setEnabled(true)
    await until(async () => (await traceById({ url: tempo.url }, marker.traceId)) !== null)
    await collector.stop()
    await Promise.all([tempo.stop(), toxiproxy.stop()])
  })
})

describe('startLoki', () => {
  it('repeats what Loki said if it refuses its configuration', async () => {
    const refused = startLoki({ config: () => 'no_such_setting: true\n' }).catch(String)
    expect(await refused).toContain('no_such_setting')
  })
})
