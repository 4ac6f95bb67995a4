import { type MinioOptions, type RunningMinio, startMinio } from '../../compose/servers/minio.ts'
import { withProgress } from '../../compose/servers/progress.ts'
import type { StoreConnection } from '../../compose/servers/running-store.ts'
import { registerSecret } from './secrets.ts'

let shared: Promise<StoreConnection> | undefined
let started: Promise<RunningMinio> | undefined

/**
 * The real object store that tests of this process share: the one that the runner started and named in
 * `TEST_STORE_*`, else a MinIO of this process (built first if need be: minutes, so give `beforeAll` time).
 * Tests must not pause or stop it, and keep apart by taking a bucket of their own (`freshBucket`).
 */
export function storeForTests(): Promise<StoreConnection> {
  shared ??= storeOfTheRunner()
  if (shared === undefined) {
    started = startPrivateStore()
    shared = started
  }
  return shared
}

/** Stops what {@link storeForTests} started in this process, if it did; `preload.ts` calls it at the end. */
export async function stopStoreForTests(): Promise<void> {
  const store = await started?.catch(() => undefined)
  await store?.stop()
}

/** A MinIO for this caller alone, which may pause, kill and must `stop` it. Its keys are registered secrets. */
export async function startPrivateStore(options: MinioOptions = {}): Promise<RunningMinio> {
  const store = await withProgress('building minio', (onProgress) => startMinio({ onProgress, ...options }))
  registerSecret(store.secretAccessKey)
  return store
}

/** The variables with which the runner passes a store on to {@link storeForTests}. */
export function storeEnvironment(store: StoreConnection): Record<string, string> {
  return {
    TEST_STORE_KIND: store.kind,
    TEST_STORE_ENDPOINT: store.endpoint,
    TEST_STORE_REGION: store.region,
    TEST_STORE_ACCESS_KEY_ID: store.accessKeyId,
    TEST_STORE_SECRET_ACCESS_KEY: store.secretAccessKey,
    TEST_STORE_FORCE_PATH_STYLE: String(store.forcePathStyle),
  }
}

function storeOfTheRunner(): Promise<StoreConnection> | undefined {
  const { TEST_STORE_KIND: kind, TEST_STORE_ENDPOINT: endpoint } = process.env
  if (endpoint === undefined) return undefined
  if (kind !== 'minio' && kind !== 'seaweedfs') throw new Error(`TEST_STORE_KIND is ${kind}`)
  return Promise.resolve({
    kind,
    endpoint,
    region: required('TEST_STORE_REGION'),
    accessKeyId: required('TEST_STORE_ACCESS_KEY_ID'),
    secretAccessKey: required('TEST_STORE_SECRET_ACCESS_KEY'),
    forcePathStyle: required('TEST_STORE_FORCE_PATH_STYLE') === 'true',
  })
}

function required(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`TEST_STORE_ENDPOINT is set, so ${name} must be too`)
  return value
}
