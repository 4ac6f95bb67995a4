import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { IncompleteError } from '../../service/cli/command.ts'
import type { OnProgress } from '../../service/cli/progress.ts'
import type { Environment } from '../../service/config/parse.ts'
import { provisionBucket } from '../../service/provisioning/apply.ts'
import { findGo, isServerBuilt } from '../servers/build-server.ts'
import { whyNoDocker } from '../servers/docker-engine.ts'
import { freePorts } from '../servers/free-port.ts'
import { startMinio } from '../servers/minio.ts'
import { type RunningStore, randomCredentials, type StoreConnection } from '../servers/running-store.ts'
import { findPip, isSeaweedfsInstalled, startSeaweedfs } from '../servers/seaweedfs.ts'
import { upObjectStore } from '../stacks/object-store-stack.ts'
import { ensureSecret } from '../stacks/stack-secrets.ts'

/** The object store that `start` found or brought up. */
export interface StartedStore {
  /** What it is and why it was taken, in one line. */
  description: string
  /** The service's `S3_*` variables: how to reach it. Secrets are named as files. */
  environment: Environment
  /** Stops what was started; nothing for a store that was there. */
  stop(): Promise<void>
  /** Resolves if it ends by itself; never for a store that was there. */
  exited: Promise<unknown>
}

/** Where and with which names a store is brought up. */
export interface StoreRequest {
  /** Absolute path of the folder that belongs to this start; data and credentials stay there. */
  folder: string
  /** Names the compose project. */
  port: number
  bucket: string
  prefix: string
  /** Origins whose pages may transfer directly to and from the store. */
  uiOrigins: readonly string[]
  env: Environment
  onProgress: OnProgress
}

interface WayToStore {
  name: string
  /** Returns `null` if it can be tried, otherwise what is missing, in one line. */
  lacks: () => Promise<string | null>
  start: (request: StoreRequest) => Promise<LocalStore>
}

/** In the order in which they are tried (ARCHITECTURE.md, "Stores that start tries"). */
const ways: WayToStore[] = [
  { name: 'MinIO in Docker', lacks: () => whyNoDocker(), start: startComposeStore },
  { name: 'MinIO, built natively', lacks: lacksMinio, start: natively('minio', startMinio) },
  { name: 'SeaweedFS from PyPI', lacks: lacksSeaweedfs, start: natively('seaweedfs', startSeaweedfs) },
]

/**
 * Finds an object store: the one that `S3_ENDPOINT` names, otherwise the first of the ways above that works.
 *
 * @throws {IncompleteError} if none does, with what each of them lacks.
 */
export async function findStore(request: StoreRequest): Promise<StartedStore> {
  if (request.env.S3_ENDPOINT !== undefined) return configuredStore(request)
  const passed = ['S3_ENDPOINT is not set']
  for (const way of ways) {
    const lacks = await way.lacks()
    if (lacks !== null) {
      passed.push(`no ${way.name}: ${lacks}`)
      continue
    }
    try {
      const store = await way.start(request)
      return { ...store, description: `${way.name} (${passed.join('; ')})` }
    } catch (error) {
      passed.push(`no ${way.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new IncompleteError(
    `there is no object store, and documents are stored nowhere else:\n${passed.map((why) => `  ${why}`).join('\n')}\n` +
      'one of these helps: set S3_ENDPOINT and the other S3_* variables; start Docker; ' +
      'install Go (https://go.dev/dl/); install Python with pip',
  )
}

/** A store that exists already: nothing is created and no rule is set there. */
function configuredStore({ env, bucket }: StoreRequest): StartedStore {
  const given = Object.entries(env).filter(([name]) => name.startsWith('S3_'))
  return {
    description: `${env.S3_ENDPOINT}, bucket ${bucket}, which must exist (S3_ENDPOINT is set)`,
    environment: { S3_BUCKET_DOCS: bucket, ...Object.fromEntries(given) },
    stop: async () => {},
    exited: new Promise(() => {}),
  }
}

async function lacksMinio(): Promise<string | null> {
  return findGo() !== null || (await isServerBuilt('minio')) ? null : 'it is not built, and there is no Go'
}

async function lacksSeaweedfs(): Promise<string | null> {
  return findPip() !== null || (await isSeaweedfsInstalled()) ? null : 'no Python with pip'
}

type LocalStore = Omit<StartedStore, 'description'>

/** Starts MinIO with Compose: the container `minio-init` sets up the bucket, its rules and the service's key. */
async function startComposeStore(request: StoreRequest): Promise<LocalStore> {
  const { env, onProgress } = request
  const folder = join(request.folder, 'compose')
  const [apiPort = 0, consolePort = 0] = await freePorts(2)
  const project = `cloudlysis-${request.port}`
  const names = { S3_BUCKET_DOCS: request.bucket, S3_PREFIX_DOCS: request.prefix }
  const stack = await upObjectStore({
    folder,
    project,
    apiPort: Number(env.MINIO_API_PORT ?? apiPort),
    consolePort: Number(env.MINIO_CONSOLE_PORT ?? consolePort),
    env: { ...env, ...names },
    browserOrigins: request.uiOrigins,
    onProgress,
  })
  return {
    environment: storeEnvironment(stack.connection, request, join(folder, 'secrets')),
    stop: () => stack.stop(),
    exited: new Promise(() => {}),
  }
}

/** Returns how to start a store as a process of this start, after building or installing it if necessary. */
function natively(name: string, start: typeof startMinio | typeof startSeaweedfs): WayToStore['start'] {
  return async (request) => {
    const options = { ...(await localOptions(request)), dataDir: join(request.folder, name) }
    return provisioned(await start(options), request)
  }
}

/** The credentials are those of the previous start, to which the data belong. */
async function localOptions({ folder, uiOrigins: browserOrigins, onProgress }: StoreRequest) {
  const secrets = join(folder, 'secrets')
  await mkdir(secrets, { recursive: true, mode: 0o700 })
  const made = randomCredentials()
  const credentials = {
    accessKeyId: await ensureSecret(join(secrets, 's3-access-key-id'), made.accessKeyId),
    secretAccessKey: await ensureSecret(join(secrets, 's3-secret-access-key'), made.secretAccessKey),
  }
  return { credentials, browserOrigins, onProgress }
}

async function provisioned(store: RunningStore, request: StoreRequest): Promise<LocalStore> {
  try {
    await provisionBucket(store, { bucket: request.bucket, prefix: request.prefix })
  } catch (error) {
    await store.stop()
    throw error
  }
  return {
    environment: storeEnvironment(store, request, join(request.folder, 'secrets')),
    stop: () => store.stop(),
    exited: store.exited,
  }
}

function storeEnvironment(store: StoreConnection, request: StoreRequest, secrets: string): Environment {
  return {
    S3_ENDPOINT: store.endpoint,
    S3_REGION: store.region,
    S3_ACCESS_KEY_ID_FILE: join(secrets, 's3-access-key-id'),
    S3_SECRET_ACCESS_KEY_FILE: join(secrets, 's3-secret-access-key'),
    S3_FORCE_PATH_STYLE: String(store.forcePathStyle),
    S3_INSECURE: 'true',
    S3_BUCKET_DOCS: request.bucket,
    S3_PREFIX_DOCS: request.prefix,
  }
}
