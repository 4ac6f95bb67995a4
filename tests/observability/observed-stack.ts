import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../compose/servers/free-port.ts'
import { type RunningLoki, startLoki } from '../../compose/servers/loki.ts'
import type { RunningMinio } from '../../compose/servers/minio.ts'
import { type RunningCollector, startCollector } from '../../compose/servers/otel-collector.ts'
import { type RunningPrometheus, startPrometheus } from '../../compose/servers/prometheus.ts'
import type { StoreCredentials } from '../../compose/servers/running-store.ts'
import { answersOk } from '../../compose/servers/server-process.ts'
import { makeTempFolder, removeTempFolder } from '../../compose/servers/temp-folder.ts'
import { type RunningTempo, startTempo } from '../../compose/servers/tempo.ts'
import { minioMetricsToken } from '../../observability/prometheus/minio-metrics-token.ts'
import { type LokiVariant, renderCollector, renderLoki, renderTempo } from '../../observability/render.ts'
import { writeCredentialsFile } from '../../observability/settings.ts'
import { freshBucket } from '../servers/bucket.ts'
import { registerSecret } from '../servers/secrets.ts'
import { type SpawnedService, type SpawnOptions, serviceInChild } from '../servers/service-for-tests.ts'
import { startPrivateStore } from '../servers/store.ts'
import type { Sources } from './grafana-queries.ts'
import { hastenedPrometheus, type PrometheusCopy, retarget } from './prometheus-copy.ts'
import { bucketPolicy, metricsPolicy, type StoreUsers, storeUsers } from './store-users.ts'
import { tuned } from './tuned.ts'

/** Settings in place of those that are delivered, for what a test cannot wait for. */
type Tuning = Parameters<typeof tuned>[1]

export interface StackOptions {
  loki?: Tuning
  tempo?: Tuning
  collector?: Tuning
  shortened?: PrometheusCopy['shortened']
  /** Variables of the service. */
  service?: Readonly<Record<string, string>>
}

/** The service, everything that observes it, and the store of them all; nothing of it is shared. */
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
  /** Starts the store again, which was killed, as it was. */
  startStoreAgain(): Promise<void>
  /** Starts Loki on the data of the one before, which has ended; Prometheus looks there from now on. */
  startLokiAgain(variants: LokiVariant[]): Promise<void>
  /** Starts another service, whose metrics are where those of the one before were, which has ended. */
  startServiceAgain(options: Pick<SpawnOptions, 'env' | 'startedBy'>): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts them all: MinIO first, then what keeps its data there, then what sends to that. Loki is up last, after
 * about ten seconds.
 */
export async function startObservedStack(options: StackOptions = {}): Promise<ObservedStack> {
  const folder = await makeTempFolder('observed-stack')
  const dataDir = await subfolder(folder, 'store')
  const store = await startPrivateStore({ dataDir })
  const users = await storeUsers(store, await subfolder(folder, 'mc'))
  const buckets = { loki: await freshBucket(store), tempo: await freshBucket(store) }
  const endpoint = new URL(store.endpoint).host
  const lokiData = await subfolder(folder, 'loki')
  const lokiCredentials = await credentials('loki')

  async function credentials(name: 'loki' | 'tempo'): Promise<string> {
    const made = await users.add(name, bucketPolicy(buckets[name]))
    return writeCredentialsFile(await subfolder(folder, `${name}-keys`), made)
  }

  function settings(name: 'loki' | 'tempo') {
    const { region } = store
    return {
      bucket: buckets[name],
      prefix: name,
      endpoint,
      region,
      insecure: true,
      forcePathStyle: true,
      caFile: null,
    }
  }

  const lokiFrom = (variants: LokiVariant[]) =>
    startLoki({
      config: async (places) => {
        const rendered = await renderLoki(variants, {
          store: { ...settings('loki'), client: 'thanos' },
          places,
        })
        return tuned(rendered, options.loki ?? {})
      },
      dataDir: lokiData,
      credentialsFile: lokiCredentials,
      waitFor: 'listening',
    })

  const loki = await lokiFrom(['s3-thanos', 'retention'])
  const tempo = await startTempo({
    config: async (places) =>
      tuned(await renderTempo(['s3'], { store: settings('tempo'), places }), options.tempo ?? {}),
    credentialsFile: await credentials('tempo'),
  })
  const collector = await startCollector({
    config: async (places) =>
      tuned(
        await renderCollector([], { lokiUrl: loki.url, tempoUrl: tempo.otlpUrl, places }),
        options.collector ?? {},
      ),
  })
  const metricsPort = await freePort()
  const serviceEnv = {
    METRICS_PORT: String(metricsPort),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.otlpUrl,
    ...options.service,
  }
  const service = await serviceInChild({ store, env: serviceEnv })
  const metricsUser = await users.add('metrics', metricsPolicy)
  const prometheusFolder = await subfolder(folder, 'prometheus')
  const token = await tokenOf(metricsUser)
  const prometheus = await startPrometheus({
    configFile: ({ httpPort }) =>
      hastenedPrometheus({
        folder: prometheusFolder,
        targets: {
          prometheus: `127.0.0.1:${httpPort}`,
          documents: `127.0.0.1:${metricsPort}`,
          loki: new URL(loki.url).host,
          tempo: new URL(tempo.url).host,
          collector: new URL(collector.metricsUrl).host,
          minio: endpoint,
        },
        minioMetricsToken: token,
        shortened: options.shortened,
      }),
  })
  while (!(await answersOk(`${loki.url}/ready`))) await Bun.sleep(100)

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
      stack.store = await startPrivateStore({ dataDir, port: Number(port), credentials: store })
    },
    async startLokiAgain(variants) {
      stack.loki = await lokiFrom(variants)
      retarget(prometheusFolder, 'loki', new URL(stack.loki.url).host)
    },
    async startServiceAgain({ env, startedBy = '/readyz' }) {
      stack.service = await serviceInChild({ store, env: { ...serviceEnv, ...env }, startedBy })
    },
    async stop() {
      // What sends, before what it sends to; what keeps data in the store, before the store.
      for (const part of [stack.prometheus, stack.service, stack.collector]) await part.stop()
      await Promise.all([stack.loki.stop(), stack.tempo.stop()])
      await stack.store.stop()
      await removeTempFolder(folder)
    },
  }
  return stack
}

async function tokenOf(user: StoreCredentials): Promise<string> {
  const token = await minioMetricsToken(user)
  registerSecret(token)
  return token
}

async function subfolder(folder: string, name: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(path)
  return path
}
