import { dirname, join, resolve } from 'node:path'
import { bunImage } from '../../../compose/images/service/pack-image.ts'
import { runCommand } from '../../../compose/run-command.ts'
import { cacheFolder } from '../../../compose/servers/cache.ts'
import { type ServerName, serverNames } from '../../../observability/proof/deployment.ts'
import { blocksOf } from '../commands/runbook-blocks.ts'
import type { ScriptRun } from '../commands/script-run.ts'
import type { ProjectKey } from '../stores/rgw-project.ts'
import { runbook as documentsRunbook, openSwarmScene, type SwarmScene } from './swarm-scene.ts'
import { provisionTelemetry, type TelemetryPlaces } from './telemetry-places.ts'

const root = resolve(import.meta.dir, '../../..')
export const runbook = blocksOf(await Bun.file(join(root, 'docs/observability-deployment.md')).text())

/** What the runbook requires before its first step, in addition to the scene of the document service. */
export interface ObservabilityScene extends Omit<SwarmScene, 'follow' | 'followed'> {
  places: TelemetryPlaces
  /** Runs a block of this runbook, with the functions of both. */
  follow(block: string, env?: Record<string, string>): Promise<ScriptRun>
  followed: ReadonlySet<string>
  /** Runs a block of the runbook of the document service. */
  followDocuments: SwarmScene['follow']
  /** Puts these keys of Loki and Tempo where the runbook looks for them. */
  writeKeys(nth: 0 | 1): Promise<void>
  /** Sets a line of `observability.env`. */
  set(name: string, value: string): Promise<void>
  /** The newest container of a service of the stack. */
  taskOf(service: string): Promise<string>
  /** Origin of a port of that container, for this machine alone. */
  urlOf(service: string, port: number): Promise<string>
}

export async function openObservabilityScene(): Promise<ObservabilityScene> {
  const swarm = await openSwarmScene()
  try {
    const places = await provisionTelemetry(swarm.store)
    await writeSettings(swarm, places)
    await beLenient(swarm.folder)
    await swarm.docker('config', 'create', 'observability_private_ca_1', join(swarm.folder, 'ca.pem'))
    const scene = sceneOf(swarm, places)
    await scene.writeKeys(0)
    return scene
  } catch (error) {
    await swarm.stop()
    throw error
  }
}

function sceneOf(swarm: SwarmScene, places: TelemetryPlaces): ObservabilityScene {
  const { docker, folder } = swarm
  const followed = new Set<string>()
  const settings = join(folder, 'observability.env')
  const taskOf = async (service: string) => {
    const label = `label=com.docker.swarm.service.name=observability_${service}`
    const ids = await docker('ps', '--quiet', '--no-trunc', '--filter', label, '--filter', 'status=running')
    return ids.split('\n')[0] ?? ''
  }
  return {
    ...swarm,
    places,
    followed,
    taskOf,
    followDocuments: swarm.follow,
    async follow(block, env = {}) {
      const text = runbook.get(block)
      if (text === undefined) throw new Error(`the runbook has no block ${block}`)
      followed.add(block)
      const functions = `${documentsRunbook.get('setup')}\n${runbook.get('setup')}`
      return swarm.run(`${functions}\n${text}`, {
        BUN_IMAGE: bunImage,
        // What the images are packed from.
        XDG_CACHE_HOME: dirname(cacheFolder()),
        ...env,
      })
    },
    async writeKeys(nth) {
      for (const server of serverNames) await writeKey(folder, server, places[server].keys[nth])
    },
    set: (name, value) => setIn(settings, name, value),
    async urlOf(service, port) {
      const task = await taskOf(service)
      const inspect = await docker(
        'network',
        'inspect',
        '--format',
        '{{json .Containers}}',
        'docker_gwbridge',
      )
      const { [task]: here } = JSON.parse(inspect) as Record<string, { IPv4Address: string }>
      return `http://${here?.IPv4Address.split('/')[0]}:${port}`
    },
    async stop() {
      for (const { objects } of Object.values(places)) objects.close()
      await swarm.stop()
      // It belongs to no stack.
      await runCommand(['docker', 'network', 'rm', 'telemetry'], { env: swarm.engine.env })
    },
  }
}

/**
 * Two stacks and their store share one machine, and nothing here is about how soon the document service is thought
 * dead: a check that starves does not end it.
 */
async function beLenient(folder: string): Promise<void> {
  const overlay = join(folder, 'lenient.yaml')
  await Bun.write(
    overlay,
    'version: "3.8"\nservices:\n  documents: { healthcheck: { timeout: 30s, retries: 10 } }\n',
  )
  const settings = await Bun.file(join(folder, 'stack.env')).text()
  const [, files = ''] = /^STACK_FILES="(.*)"$/m.exec(settings) ?? []
  await setIn(join(folder, 'stack.env'), 'STACK_FILES', `"${files} ${overlay}"`)
}

async function setIn(file: string, name: string, value: string): Promise<void> {
  const text = await Bun.file(file).text()
  await Bun.write(file, text.replace(new RegExp(`^${name}=.*`, 'm'), `${name}=${value}`))
}

async function writeKey(folder: string, server: ServerName, key: ProjectKey): Promise<void> {
  await Bun.write(join(folder, `${server}-access-key-id`), key.accessKeyId)
  await Bun.write(join(folder, `${server}-secret-access-key`), key.secretAccessKey)
}

async function writeSettings(swarm: SwarmScene, { loki, tempo }: TelemetryPlaces): Promise<void> {
  const { folder, store, storeUrl, docker } = swarm
  const files = [
    'compose/stacks/observability-services.yaml',
    'overlays/observability.swarm.yaml',
    'overlays/observability.private-ca.yaml',
  ]
  const settings = {
    OBSERVABILITY_FILES: `"${files.join(' ')}"`,
    STACK_FLAGS: '"--resolve-image never"',
    OBSERVABILITY_NODE: (await docker('node', 'ls', '--format', '{{.Hostname}}')).trim(),
    OBSERVABILITY_MONITOR: '5s',
    // It has written long before, and hangs once it has been queried.
    TEMPO_STOP_GRACE: '5s',
    S3_ENDPOINT: storeUrl,
    S3_REGION: store.region,
    S3_FORCE_PATH_STYLE: store.forcePathStyle,
    S3_CA_FILE: join(folder, 'ca.pem'),
    S3_BUCKET_LOKI: loki.bucket,
    S3_BUCKET_TEMPO: tempo.bucket,
    LOKI_CONFIG: 'loki.s3-thanos.retention.hetzner',
    TEMPO_CONFIG: 'tempo.s3.retention.hetzner',
    COLLECTOR_CONFIG: 'collector',
    LOKI_CONFIG_VERSION: 1,
    TEMPO_CONFIG_VERSION: 1,
    COLLECTOR_CONFIG_VERSION: 1,
    LOKI_KEY_VERSION: 1,
    TEMPO_KEY_VERSION: 1,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  await Bun.write(join(folder, 'observability.env'), lines.join(''))
}
