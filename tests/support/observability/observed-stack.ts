import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, onFreePorts } from '../../../compose/servers/free-port.ts'
import { type RunningLoki, startLoki } from '../../../compose/servers/loki.ts'
import type { RunningMinio } from '../../../compose/servers/minio.ts'
import { answersOk } from '../../../compose/servers/server-process.ts'
import { type RunningTempo, startTempo } from '../../../compose/servers/tempo.ts'
import { writeCredentialsFile } from '../../../compose/stacks/credentials-file.ts'
import {
  type LokiVariant,
  renderCollector,
  renderLoki,
  renderTempo,
} from '../../../observability/config/render.ts'
import type { TempoStoreSettings } from '../../../observability/config/settings.ts'
import { merged, type YamlMapping } from '../../../observability/config/yaml.ts'
import { minioMetricsToken } from '../../../observability/prometheus/minio-metrics-token.ts'
import { makeTempFolder, removeTempFolder } from '../../../service/cli/temp-folder.ts'
import { printedFile } from '../printed.ts'
import { registerSecret } from '../secrets.ts'
import { type SpawnedService, type SpawnOptions, serviceInChild } from '../service/service-for-tests.ts'
import { freshBucket } from '../stores/bucket.ts'
import { startPrivateStore } from '../stores/store.ts'
import { until } from '../waiting.ts'
import { type RunningCollector, startCollector } from './collector-server.ts'
import type { Sources } from './grafana-queries.ts'
import { hastenedPrometheus, type PrometheusCopy, retarget } from './prometheus-copy.ts'
import { type RunningPrometheus, startPrometheus } from './prometheus-server.ts'
import { bucketPolicy, metricsPolicy, type StoreUsers, storeUsers } from './store-users.ts'

/** Settings that replace those of the kit, for what a test cannot wait for. */
type Tuning = YamlMapping

export interface StackOptions {
  loki?: Tuning
  tempo?: Tuning
  collector?: Tuning
  shortened?: PrometheusCopy['shortened']
  /** Variables of the service. */
  service?: Readonly<Record<string, string>>
}

/** The service, everything that observes it, and the store of all of them; no other test uses them. */
export interface ObservedStack {
  store: RunningMinio
  /** `loki` and `tempo` are among them, each with its own bucket. */
  users: StoreUsers
  buckets: { loki: string; tempo: string }
  loki: RunningLoki
  tempo: RunningTempo
  collector: RunningCollector
  prometheus: RunningPrometheus
  prometheusFolder: string
  service: SpawnedService
  /** Origins behind Grafana's data sources. */
  sources: Sources
  /** Starts the killed store again, with the same data and keys. */
  startStoreAgain(): Promise<void>
  /** Starts Loki on the data of the one before, which has ended; Prometheus scrapes it from now on. */
  startLokiAgain(variants: LokiVariant[]): Promise<void>
  /** Starts another service, with its metrics at the address of the one before, which has ended. */
  startServiceAgain(options: Pick<SpawnOptions, 'env' | 'startedBy'>): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts all of them: MinIO first, then the servers that keep their data there, then the senders. Loki is ready last,
 * after about ten seconds.
 */
export async function startObservedStack(options: StackOptions = {}): Promise<ObservedStack> {
  const ground = await startGround()
  const { folder, store, users, buckets } = ground
  const startLokiWith = await lokiStarter(ground, options.loki)
  const loki = await startLokiWith(['s3-thanos', 'retention'])
  const tempo = await startTempoOn(ground, options.tempo)
  const collector = await startCollectorTo(loki, tempo, options.collector)
  const { service, env } = await onFreePorts(async () => {
    const env = {
      METRICS_PORT: String(await freePort()),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.otlpUrl,
      ...options.service,
    }
    return { service: await serviceInChild({ store, env }), env }
  })
  const targets = {
    documents: `127.0.0.1:${env.METRICS_PORT}`,
    loki: new URL(loki.url).host,
    tempo: new URL(tempo.url).host,
    collector: new URL(collector.metricsUrl).host,
    minio: new URL(store.endpoint).host,
  }
  const { prometheus, prometheusFolder } = await startPrometheusOver(ground, targets, options.shortened)
  await until(() => answersOk(`${loki.url}/ready`))

  const stack: ObservedStack = {
    store,
    users,
    buckets,
    loki,
    tempo,
    collector,
    prometheus,
    prometheusFolder,
    service,
    sources: { prometheus: prometheus.url, loki: loki.url, tempo: tempo.url },
    async startStoreAgain() {
      const { port } = new URL(store.endpoint)
      const dataDir = join(folder, 'store')
      stack.store = await startPrivateStore({ dataDir, port: Number(port), credentials: store })
    },
    async startLokiAgain(variants) {
      stack.loki = await startLokiWith(variants)
      retarget(prometheusFolder, 'loki', new URL(stack.loki.url).host)
    },
    async startServiceAgain(changed) {
      const startedBy = changed.startedBy ?? '/readyz'
      stack.service = await serviceInChild({ store, env: { ...env, ...changed.env }, startedBy })
    },
    async stop() {
      // Senders before receivers, and the store last.
      for (const part of [stack.prometheus, stack.service, stack.collector]) await part.stop()
      await Promise.all([stack.loki.stop(), stack.tempo.stop()])
      await stack.store.stop()
      await removeTempFolder(folder)
    },
  }
  return stack
}

/** What all servers share. */
interface Ground extends Pick<ObservedStack, 'store' | 'users' | 'buckets'> {
  folder: string
}

async function startGround(): Promise<Ground> {
  const folder = await makeTempFolder('observed-stack')
  const store = await startPrivateStore({ dataDir: join(folder, 'store') })
  const users = await storeUsers(store, await subfolder(folder, 'mc'))
  const buckets = { loki: await freshBucket(store), tempo: await freshBucket(store) }
  return { folder, store, users, buckets }
}

/** Returns a function that starts Loki, always on the same data and with the same keys. */
async function lokiStarter(
  ground: Ground,
  tuning: Tuning = {},
): Promise<(variants: LokiVariant[]) => Promise<RunningLoki>> {
  const dataDir = await subfolder(ground.folder, 'loki')
  const credentialsFile = await keysFor('loki', ground)
  const store = { ...bucketOf('loki', ground), client: 'thanos' } as const
  return (variants) =>
    startLoki({
      config: async (places) => tuned(await renderLoki(variants, { store, places }), tuning),
      dataDir,
      credentialsFile,
      logFile: printedFile('loki'),
      waitFor: 'listening',
    })
}

async function startTempoOn(ground: Ground, tuning: Tuning = {}): Promise<RunningTempo> {
  const store = bucketOf('tempo', ground)
  return startTempo({
    config: async (places) => tuned(await renderTempo(['s3'], { store, places }), tuning),
    credentialsFile: await keysFor('tempo', ground),
    logFile: printedFile('tempo'),
  })
}

function startCollectorTo(
  loki: RunningLoki,
  tempo: RunningTempo,
  tuning: Tuning = {},
): Promise<RunningCollector> {
  const backends = { lokiUrl: loki.url, tempoUrl: tempo.otlpUrl }
  return startCollector({
    config: async (places) => tuned(await renderCollector([], { ...backends, places }), tuning),
    logFile: printedFile('otel-collector'),
  })
}

async function startPrometheusOver(
  { folder, users }: Ground,
  targets: Readonly<Record<string, string>>,
  shortened: PrometheusCopy['shortened'],
): Promise<Pick<ObservedStack, 'prometheus' | 'prometheusFolder'>> {
  const prometheusFolder = await subfolder(folder, 'prometheus')
  const minioMetrics = await minioMetricsToken(await users.add('metrics', metricsPolicy()))
  registerSecret(minioMetrics)
  const prometheus = await startPrometheus({
    configFile: ({ httpPort }) =>
      hastenedPrometheus({
        folder: prometheusFolder,
        targets: { ...targets, prometheus: `127.0.0.1:${httpPort}` },
        minioMetricsToken: minioMetrics,
        shortened,
      }),
  })
  return { prometheus, prometheusFolder }
}

function bucketOf(name: 'loki' | 'tempo', { store, buckets }: Ground): TempoStoreSettings {
  return {
    bucket: buckets[name],
    prefix: name,
    endpoint: new URL(store.endpoint).host,
    region: store.region,
    insecure: true,
    forcePathStyle: true,
    caFile: null,
  }
}

/** A file with keys that reach the bucket of Loki or Tempo, and no other. */
async function keysFor(name: 'loki' | 'tempo', { folder, users, buckets }: Ground): Promise<string> {
  const keys = await users.add(name, bucketPolicy(buckets[name]))
  return writeCredentialsFile(await subfolder(folder, `${name}-keys`), keys)
}

async function subfolder(folder: string, name: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(path)
  return path
}

/** Returns the YAML with the settings of `tuning` in place of its own. */
function tuned(yaml: string, tuning: Tuning): string {
  return Bun.YAML.stringify(merged(Bun.YAML.parse(yaml) as YamlMapping, tuning))
}
