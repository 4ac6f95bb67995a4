import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { composeCommand, type DockerEnvironment } from './docker-engine.ts'
import { ensureObjectStoreImage } from './object-store/image.ts'
import { CommandError, type CommandResult, mustRun, runCommand } from './run-command.ts'
import type { OnProgress } from './servers/progress.ts'
import { originList, type StoreConnection } from './servers/running-store.ts'
import { ensureStackSecrets } from './stack-secrets.ts'

const root = resolve(import.meta.dir, '..')

/** Where the stack's settings and secrets are kept unless the caller says otherwise. */
export const defaultStackFolder = join(root, '.local/compose')

export interface StackOptions {
  /** Absolute path of the folder for `.env` and `secrets/`. */
  folder: string
  /** Compose project: names the containers, the network and the volumes. */
  project: string
  /** Ports on 127.0.0.1. */
  apiPort: number
  consolePort: number
  /** Origins whose pages may use the store (CORS); a `*` in one stands for anything. Default: none. */
  browserOrigins?: readonly string[]
  /** Of the `docker` command; variables of the compose files count here too. */
  env: DockerEnvironment
  onProgress: OnProgress
}

/** The compose project of the object store, whether it runs or not. */
export interface ObjectStoreStack {
  folder: string
  /** With the service's own key, not root's. */
  connection: StoreConnection
  consoleUrl: string
  /** Origins whose pages may use it. */
  browserOrigins: readonly string[]
  /** Runs one Compose command on the project; `files` are added to the base file. */
  compose(args: string[], extra?: { files?: string[]; env?: DockerEnvironment }): Promise<CommandResult>
  /** What Docker tells about the project's containers, as JSON text. */
  inspect(): Promise<string>
  /** Stops the containers; data stay. */
  stop(): Promise<void>
  /** Removes containers, networks and volumes: data are gone. */
  remove(): Promise<void>
}

/**
 * Brings the object store up with Compose and waits until it is healthy and set up (buckets, lifecycle, the
 * service's key). Can be repeated.
 *
 * @throws {CommandError} if the engine or a container fails. @throws {ServerBuildError} if something has to be
 *   built and cannot be.
 */
export async function upObjectStore(options: StackOptions): Promise<ObjectStoreStack> {
  const secrets = await ensureStackSecrets(join(options.folder, 'secrets'))
  const image = await ensureObjectStoreImage(options.env, options.onProgress)
  await writeSettings(options.folder, {
    COMPOSE_PROJECT_NAME: options.project,
    OBJECT_STORE_IMAGE: image,
    OBJECT_STORE_USER: secrets.user,
    SECRETS_FOLDER: secrets.folder,
    MINIO_API_PORT: String(options.apiPort),
    MINIO_CONSOLE_PORT: String(options.consolePort),
    MINIO_API_CORS_ALLOW_ORIGIN: originList(options.browserOrigins),
  })
  const stack = await openObjectStoreStack(options.folder, options.env, options.onProgress)
  options.onProgress('starting the containers')
  await mustSucceed(stack, ['up', '--detach', '--wait', 'minio'])
  await mustSucceed(stack, ['run', '--rm', '-T', '--no-deps', 'minio-init'])
  return stack
}

/**
 * The project that {@link upObjectStore} described in `folder`; starts nothing.
 *
 * @throws {Error} if nothing was described there.
 */
export async function openObjectStoreStack(
  folder: string,
  env: DockerEnvironment,
  onProgress?: OnProgress,
): Promise<ObjectStoreStack> {
  const settings = await readSettings(folder)
  const secrets = await ensureStackSecrets(join(folder, 'secrets'))
  const command = await composeCommand(env, onProgress)
  const base = [
    ...command,
    '--progress',
    'quiet',
    '--project-directory',
    '.',
    '--env-file',
    join(folder, '.env'),
  ]
  const compose: ObjectStoreStack['compose'] = (args, extra = {}) => {
    const files = ['compose/object-store.yaml', ...(extra.files ?? [])].flatMap((file) => ['--file', file])
    return runCommand([...base, ...files, ...args], { cwd: root, env: { ...env, ...settings, ...extra.env } })
  }
  const stack: ObjectStoreStack = {
    folder,
    connection: {
      kind: 'minio',
      endpoint: `http://127.0.0.1:${settings.MINIO_API_PORT}`,
      region: 'us-east-1',
      ...secrets.service,
      forcePathStyle: true,
    },
    consoleUrl: `http://127.0.0.1:${settings.MINIO_CONSOLE_PORT}`,
    browserOrigins: settings.MINIO_API_CORS_ALLOW_ORIGIN?.split(',') ?? [],
    compose,
    inspect: async () => {
      const { stdout } = await compose(['ps', '--all', '--quiet'])
      return mustRun(['docker', 'inspect', ...stdout.trim().split('\n')], { env })
    },
    stop: () => mustSucceed(stack, ['stop']),
    remove: () => mustSucceed(stack, ['down', '--volumes', '--remove-orphans', '--timeout', '5']),
  }
  return stack
}

async function mustSucceed(stack: ObjectStoreStack, args: string[]): Promise<void> {
  const result = await stack.compose(args)
  if (result.exitCode === 0) return
  const logs = await stack.compose(['logs', '--tail', '20'])
  throw new CommandError(['compose', ...args], { ...result, stderr: `${result.stderr}\n${logs.stdout}` })
}

async function writeSettings(folder: string, settings: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const lines = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`)
  await writeFile(join(folder, '.env'), lines.join(''), { mode: 0o600 })
}

async function readSettings(folder: string): Promise<Record<string, string>> {
  const lines = (await readFile(join(folder, '.env'), 'utf8')).split('\n')
  const pairs = lines.map((line) => /^([A-Z_]+)='(.*)'$/.exec(line)).filter((match) => match !== null)
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value]))
}
