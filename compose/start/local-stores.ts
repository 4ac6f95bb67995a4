import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../../service/config/parse.ts'
import { provisionBucket } from '../../service/provisioning/apply.ts'
import { freePorts } from '../servers/free-port.ts'
import { startMinio } from '../servers/minio.ts'
import { type RunningStore, randomCredentials, type StoreConnection } from '../servers/running-store.ts'
import { startSeaweedfs } from '../servers/seaweedfs.ts'
import { upObjectStore } from '../stacks/object-store-stack.ts'
import { ensureSecret } from '../stacks/stack-secrets.ts'
import type { StartedStore, StoreRequest } from './store.ts'

type LocalStore = Omit<StartedStore, 'description'>

/** Starts MinIO with Compose: the container `minio-init` sets up the bucket, its rules and the service's key. */
export async function startComposeStore(request: StoreRequest): Promise<LocalStore> {
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

/** Starts MinIO as a process of this start, after building it if necessary. */
export async function startMinioStore(request: StoreRequest): Promise<LocalStore> {
  const options = { ...(await localOptions(request)), dataDir: join(request.folder, 'minio') }
  return provisioned(await startMinio(options), request)
}

/** Starts SeaweedFS as a process of this start, after installing it if necessary. */
export async function startSeaweedfsStore(request: StoreRequest): Promise<LocalStore> {
  const options = { ...(await localOptions(request)), dataDir: join(request.folder, 'seaweedfs') }
  return provisioned(await startSeaweedfs(options), request)
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
