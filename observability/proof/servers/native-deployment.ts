import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { YAML } from 'bun'
import { type LokiPlaces, type RunningLoki, startLoki } from '../../../compose/servers/loki.ts'
import { type RunningTempo, startTempo, type TempoPlaces } from '../../../compose/servers/tempo.ts'
import { writeCredentialsFile } from '../../../compose/stacks/credentials-file.ts'
import type { OnProgress } from '../../../service/cli/progress.ts'
import { makeTempFolder, removeTempFolder } from '../../../service/cli/temp-folder.ts'
import { type LokiVariant, renderLoki, renderTempo, type TempoVariant } from '../../config/render.ts'
import { observabilitySettings } from '../../config/settings.ts'
import type { YamlMapping } from '../../config/yaml.ts'
import type { Deployment, Launch, RunningServer, StoreAccess } from '../deployment.ts'
import { nativeRoutes } from './native-routes.ts'

export interface NativeOptions {
  store: StoreAccess
  /** Told about what has to be built. */
  onProgress: OnProgress
}

/** Tempo 2.9 hangs once it has been queried; what it had to write it has written by then. */
const tempoStopSecondsMax = 5
const killedExitCode = 137

/**
 * Loki and Tempo as processes on 127.0.0.1, each in a folder of its own.
 *
 * @throws from `start`: {ServerBuildError} where one has to be built and cannot be.
 */
export async function openNativeDeployment({ store, onProgress }: NativeOptions): Promise<Deployment> {
  const folder = await makeTempFolder('validate')
  const site: Site = { store, folder, onProgress, caFile: await writeAuthority(folder, store.ca) }
  const running: RunningServer[] = []
  const routes = nativeRoutes(site)
  let closed = false
  return {
    kind: 'native',
    store,
    openRoute: () => routes.open(),
    async start(launch) {
      if (closed) throw new Error('the deployment is closed')
      const server = await startNatively(site, launch)
      running.push(server)
      return server
    },
    async close() {
      closed = true
      await Promise.all(running.map((server) => server.kill()))
      await routes.close()
      await removeTempFolder(folder)
    },
  }
}

interface Site extends NativeOptions {
  folder: string
  caFile: string | null
}

async function startNatively(site: Site, launch: Launch): Promise<RunningServer> {
  const own = join(site.folder, launch.name)
  await mkdir(own)
  const options = {
    dataDir: launch.disk?.name ?? join(own, 'disk'),
    logFile: join(own, 'log'),
    credentialsFile: await writeCredentialsFile(own, launch.credentials ?? site.store),
    env: launch.route?.env ?? {},
    onProgress: site.onProgress,
  }
  const { loki: lokiStore, tempo: tempoStore } = await settingsOf(site, launch)
  if (launch.server === 'loki') {
    const render = (places: LokiPlaces) =>
      renderLoki(launch.variants as LokiVariant[], { store: lokiStore, places })
    const loki = await startLoki({ ...options, config: async (places) => told(launch, await render(places)) })
    return running(loki, `${loki.url}/otlp`)
  }
  const render = (places: TempoPlaces) =>
    renderTempo(launch.variants as TempoVariant[], { store: tempoStore, places })
  const stopSecondsMax = tempoStopSecondsMax
  const config = async (places: TempoPlaces) => told(launch, await render(places))
  const tempo = await startTempo({ ...options, config, stopSecondsMax })
  return running(tempo, tempo.otlpUrl)
}

/** The rendered configuration as the launch wants it. */
function told({ alter, onConfig }: Launch, rendered: string): string {
  const config =
    alter === undefined ? rendered : YAML.stringify(alter(YAML.parse(rendered) as YamlMapping), null, 2)
  onConfig?.(config)
  return config
}

function running(server: RunningLoki | RunningTempo, otlpUrl: string): RunningServer {
  return {
    url: server.url,
    otlpUrl,
    disk: { name: server.dataDir },
    async stop() {
      await server.stop()
      return (await server.exited) === killedExitCode ? 'killed' : 'ended'
    },
    async kill() {
      await server.kill()
      // It is gone; what stopping it still does is to remove its folder.
      await server.stop()
    },
    log: () => Bun.file(server.logFile).text(),
  }
}

/** By the same contract as in production: what Loki and Tempo are told is made by the same code. */
function settingsOf({ store, caFile }: Site, { server, variants, bucket, prefix, route }: Launch) {
  const endpoint = route?.endpoint ?? store.endpoint
  const name = server.toUpperCase()
  const env = {
    S3_ENDPOINT: endpoint,
    S3_REGION: store.region,
    S3_FORCE_PATH_STYLE: String(store.forcePathStyle),
    S3_INSECURE: String(endpoint.startsWith('http:')),
    ...(caFile === null ? {} : { S3_CA_FILE: caFile }),
    [`S3_BUCKET_${name}`]: bucket,
    [`S3_PREFIX_${name}`]: prefix,
  }
  return observabilitySettings(env, {
    readFile: (path) => readFileSync(path, 'utf8'),
    lokiClient: variants.includes('s3-classic') ? 'classic' : 'thanos',
  })
}

async function writeAuthority(folder: string, pem: string | undefined): Promise<string | null> {
  if (pem === undefined) return null
  const path = join(folder, 'ca.crt')
  await writeFile(path, pem)
  return path
}
