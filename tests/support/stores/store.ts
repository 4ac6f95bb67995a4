import { type MinioOptions, type RunningMinio, startMinio } from '../../../compose/servers/minio.ts'
import type { RunningStore } from '../../../compose/servers/running-store.ts'
import { startSeaweedfs } from '../../../compose/servers/seaweedfs.ts'
import { makeServerTls } from '../../../compose/servers/server-tls.ts'
import { withProgress } from '../../../service/cli/progress.ts'
import { registerSecret } from '../secrets.ts'
import { minioServiceKey } from './minio-service-key.ts'
import { startRgwProject } from './rgw.ts'
import type { StoreForTests } from './service-key.ts'

/** The real object stores that suites run against, by the names that `TEST_STORE` and `--store` take. */
export const testStores = {
  minio: { title: 'MinIO', start: () => startPrivateStore() },
  'minio-tls': { title: 'MinIO, TLS', start: async () => startPrivateStore({ tls: await makeServerTls() }) },
  'ceph-rgw': { title: 'Ceph RGW', start: () => startRgwProject() },
  seaweedfs: { title: 'SeaweedFS', start: () => startPrivateSeaweedfs() },
} satisfies Record<string, { title: string; start: () => Promise<RunningStoreForTests> }>

export type TestStore = keyof typeof testStores

/** A store that this process started, and must stop. */
export type RunningStoreForTests = RunningStore & StoreForTests

const shared = new Map<TestStore, Promise<StoreForTests>>()
const started: Promise<RunningStoreForTests>[] = []

/**
 * Returns a real object store that all tests of this process share: the one that the runner started for this run of the
 * suite, otherwise one of this process (built or installed first if need be: minutes, so give `beforeAll` time).
 * Tests must not pause or stop it, and keep apart by using a bucket of their own (`freshBucket`). Its keys are the
 * owner's; a service in a test reaches it `asService`.
 *
 * @param name which one; default: what `TEST_STORE` says, otherwise MinIO.
 */
export function storeForTests(name = chosenStore()): Promise<StoreForTests> {
  const known = shared.get(name)
  if (known !== undefined) return known
  const store = (name === chosenStore() && storeOfTheRunner()) || startShared(name)
  shared.set(name, store)
  return store
}

/** Returns the store that this run of the suite tests. */
export function chosenStore(): TestStore {
  const name = process.env.TEST_STORE ?? 'minio'
  if (isTestStore(name)) return name
  throw new Error(`TEST_STORE is ${name}; there are ${Object.keys(testStores).join(', ')}`)
}

/** True for a name of a store that tests can run on. */
export function isTestStore(name: string): name is TestStore {
  return Object.hasOwn(testStores, name)
}

function startShared(name: TestStore): Promise<RunningStoreForTests> {
  const store = testStores[name].start()
  started.push(store)
  return store
}

/** Stops what {@link storeForTests} started in this process, if it did; `preload.ts` calls it at the end. */
export async function stopStoreForTests(): Promise<void> {
  for (const starting of started) {
    const store = await starting.catch(() => undefined)
    await store?.stop()
  }
}

/**
 * Origins that MinIO and SeaweedFS allow for all of their buckets: pages that a service in a test serves by its address,
 * not by name (`http://localhost:…`), and the default origin of the probe.
 */
const browserOrigins = ['http://127.0.0.1:*', 'https://ui.example']

/** Starts a MinIO for this caller alone, which may pause, kill and must `stop` it. Its keys are registered secrets. */
export async function startPrivateStore(options: MinioOptions = {}): Promise<RunningMinio & StoreForTests> {
  const store = await withProgress('building minio', (onProgress) =>
    startMinio({ onProgress, browserOrigins, ...options }),
  )
  registerSecret(store.secretAccessKey)
  try {
    return { ...store, serviceKey: await minioServiceKey(store) }
  } catch (error) {
    await store.stop()
    throw error
  }
}

/** Starts the same with SeaweedFS. */
async function startPrivateSeaweedfs(): Promise<RunningStore> {
  const store = await withProgress('installing seaweedfs', (onProgress) =>
    startSeaweedfs({ onProgress, browserOrigins }),
  )
  registerSecret(store.secretAccessKey)
  return store
}

/** Returns the variables with which the runner passes a store to {@link storeForTests}. */
export function storeEnvironment(name: TestStore, store: StoreForTests): Record<string, string> {
  return {
    TEST_STORE: name,
    TEST_STORE_KIND: store.kind,
    TEST_STORE_ENDPOINT: store.endpoint,
    TEST_STORE_REGION: store.region,
    TEST_STORE_ACCESS_KEY_ID: store.accessKeyId,
    TEST_STORE_SECRET_ACCESS_KEY: store.secretAccessKey,
    TEST_STORE_FORCE_PATH_STYLE: String(store.forcePathStyle),
    ...(store.ca === undefined ? {} : { TEST_STORE_CA: store.ca }),
    ...(store.serviceKey === undefined ? {} : { TEST_STORE_SERVICE_KEY: JSON.stringify(store.serviceKey) }),
  }
}

function storeOfTheRunner(): Promise<StoreForTests> | undefined {
  const { TEST_STORE_KIND: kind, TEST_STORE_ENDPOINT: endpoint, TEST_STORE_CA: ca } = process.env
  const { TEST_STORE_SERVICE_KEY: serviceKey } = process.env
  if (endpoint === undefined) return undefined
  if (kind !== 'minio' && kind !== 'seaweedfs' && kind !== 'ceph-rgw')
    throw new Error(`TEST_STORE_KIND is ${kind}`)
  return Promise.resolve({
    kind,
    endpoint,
    region: required('TEST_STORE_REGION'),
    accessKeyId: required('TEST_STORE_ACCESS_KEY_ID'),
    secretAccessKey: required('TEST_STORE_SECRET_ACCESS_KEY'),
    forcePathStyle: required('TEST_STORE_FORCE_PATH_STYLE') === 'true',
    ...(ca === undefined ? {} : { ca }),
    ...(serviceKey === undefined ? {} : { serviceKey: JSON.parse(serviceKey) }),
  })
}

function required(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`TEST_STORE_ENDPOINT is set, so ${name} must be too`)
  return value
}
