import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun, runCommand } from '../../../compose/run-command.ts'
import type { DockerEnvironment } from '../../../compose/servers/docker-engine.ts'
import { freePorts } from '../../../compose/servers/free-port.ts'
import { answersOk, ServerStartError } from '../../../compose/servers/server-process.ts'
import {
  type ComposeProject,
  openComposeProject,
  writeSettings,
} from '../../../compose/stacks/compose-project.ts'
import { sharedCredentials } from '../../../compose/stacks/credentials-file.ts'
import { ensureSecretFor } from '../../../compose/stacks/stack-secrets.ts'
import { containerPlaces, resolveContainer } from '../../config/container-places.ts'
import type { Launch, RunningServer } from '../deployment.ts'
import { launchConfig } from '../servers/launch-config.ts'
import type { LaunchSite } from './launch-site.ts'

const readySecondsMax = 90
const pollMilliseconds = 200
const startAttemptsMax = 3
const linesInErrorMax = 20
/** How long `stop` waits before it kills. Tempo 2.9 has flushed long before, and hangs once it has been queried. */
const stopSecondsMax = { loki: 60, tempo: 5 }
/** User of both servers in the base file. */
const serverUser = 10001

/** What remains of a launch, whether it succeeded or not: to be removed in the end. */
export interface Launched {
  /** Name of its volume, which may be that of another launch. */
  disk: string
  remove(): Promise<void>
}

/**
 * Launches one server of a proof as a Compose project of its own and waits until it is ready.
 *
 * @param onLaunched called before it is started, so that it can be removed whatever happens.
 * @param signal ends the wait.
 * @throws {ServerStartError} with its last lines, if it ends or is not ready in time; it is then stopped.
 */
export async function launchServer(
  site: LaunchSite,
  launch: Launch,
  onLaunched: (launched: Launched) => void,
  signal: AbortSignal,
): Promise<RunningServer> {
  signal.throwIfAborted()
  const { loki, tempo } = containerPlaces
  const configSite = { ...site, readFile, resolveHost: resolveContainer }
  const config = await launchConfig(launch, configSite, launch.server === 'loki' ? { loki } : { tempo })
  const disk = launch.disk?.name ?? (await makeDisk(site, launch))
  const { project, port, otlpPort } = await up(site, launch, { config, disk }, onLaunched)
  const id = (await project.compose(['ps', '--all', '--quiet', launch.server])).stdout.trim()
  const container = containerWithId(id, site.env)
  const url = `http://127.0.0.1:${port}`
  await untilReady(launch, container, `${url}/ready`, signal)
  return {
    url,
    otlpUrl: launch.server === 'loki' ? `${url}/otlp` : `http://127.0.0.1:${otlpPort}`,
    disk: { name: disk },
    stop: () => container.stop(stopSecondsMax[launch.server]),
    kill: () => container.kill(),
    log: () => container.log(),
  }
}

/** No setting of a launch in a container comes from a file. */
function readFile(path: string): never {
  throw new Error(`a launch in a container reads no file, and was configured with ${path}`)
}

/** A port that looked free may be taken when Docker listens there: then others are tried. */
async function up(
  site: LaunchSite,
  launch: Launch,
  { config, disk }: { config: string; disk: string },
  onLaunched: (launched: Launched) => void,
) {
  for (let attempt = 1; ; attempt++) {
    const [port = 0, otlpPort = 0] = await freePorts(2)
    const project = await describeLaunch(site, launch, { config, disk, port, otlpPort })
    if (attempt === 1) onLaunched({ disk, remove: () => project.remove() })
    const { exitCode, stderr } = await project.compose(['up', '--detach', '--no-deps', launch.server])
    if (exitCode === 0) return { project, port, otlpPort }
    const portTaken = /port is already allocated|address already in use/.test(stderr)
    if (!portTaken || attempt === startAttemptsMax) {
      throw new ServerStartError(`${launch.name} (${launch.server}) could not be started`, stderr)
    }
  }
}

async function makeDisk({ project, env }: LaunchSite, { name }: Launch): Promise<string> {
  const disk = `${project}-${name}`
  await mustRun(['docker', 'volume', 'create', disk], { env })
  return disk
}

/** Writes everything that the compose files need into a folder of the launch. */
async function describeLaunch(
  site: LaunchSite,
  { server, name, variants, credentials = site.store }: Launch,
  { config, disk, port, otlpPort }: { config: string; disk: string; port: number; otlpPort: number },
): Promise<ComposeProject> {
  const folder = join(site.folder, name)
  const secrets = join(folder, 'secrets')
  await mkdir(secrets, { recursive: true, mode: 0o700 })
  await writeFile(join(folder, `${server}.yaml`), config, { mode: 0o644 })
  const keys = join(secrets, site.credentialsFile(server))
  await ensureSecretFor(serverUser, keys, sharedCredentials(credentials))
  await writeSettings(folder, {
    ...site.images,
    COMPOSE_PROJECT_NAME: `${site.project}-${name}`,
    OBSERVABILITY_FOLDER: folder,
    SECRETS_FOLDER: secrets,
    [`${server.toUpperCase()}_CONFIG`]: server,
    [`${server.toUpperCase()}_PORT`]: String(port),
    TEMPO_OTLP_PORT: String(otlpPort),
    LAUNCH_NETWORK: site.network,
    LAUNCH_DISK: disk,
  })
  const onS3 = variants.some((variant) => variant.startsWith('s3'))
  const overlay = onS3 ? [`overlays/${server}.${site.choice}.yaml`] : []
  const files = [...site.files, 'compose/stacks/observability.yaml', ...overlay, 'compose/stacks/launch.yaml']
  return openComposeProject(folder, files, site.env, site.onProgress)
}

async function untilReady(
  { server, name }: Launch,
  container: Container,
  url: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + readySecondsMax * 1000
  while (!(await answersOk(url))) {
    const ended = !(await container.isRunning())
    if (ended || performance.now() > deadline) {
      const why = ended ? 'ended before it was ready' : `was not ready after ${readySecondsMax} s`
      await container.kill()
      const lines = (await container.log()).trimEnd().split('\n').slice(-linesInErrorMax)
      throw new ServerStartError(`${name} (${server}) ${why}`, lines.join('\n'))
    }
    signal.throwIfAborted()
    await Bun.sleep(pollMilliseconds)
  }
}

/** Exit code of a container that ended by SIGKILL: 128 plus the signal's number. */
const killedExitCode = 137

/** A container. */
interface Container {
  /** Returns false once its program has ended. */
  isRunning(): Promise<boolean>
  /** Returns everything that its program has printed, also after its end. */
  log(): Promise<string>
  /** Sends SIGTERM, and SIGKILL after `secondsMax`; waits until it is gone. Can be repeated. */
  stop(secondsMax: number): Promise<'ended' | 'killed'>
  /** Sends SIGKILL and waits until it is gone. Can be repeated. */
  kill(): Promise<void>
}

/** Returns the container with this id. Its methods throw {CommandError} if the engine fails. */
function containerWithId(id: string, env: DockerEnvironment): Container {
  const inspect = async (what: string) =>
    (await mustRun(['docker', 'inspect', '--format', what, id], { env })).trim()
  return {
    isRunning: async () => (await inspect('{{.State.Running}}')) === 'true',
    log: async () => {
      const { stdout, stderr } = await runCommand(['docker', 'logs', id], { env })
      return stdout + stderr
    },
    stop: async (secondsMax) => {
      await mustRun(['docker', 'stop', '--time', String(secondsMax), id], { env })
      return Number(await inspect('{{.State.ExitCode}}')) === killedExitCode ? 'killed' : 'ended'
    },
    kill: async () => {
      await mustRun(['docker', 'stop', '--time', '0', id], { env })
    },
  }
}
