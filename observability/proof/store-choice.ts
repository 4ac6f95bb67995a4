import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { startRgw } from '../../compose/servers/ceph-rgw.ts'
import { startMinio } from '../../compose/servers/minio.ts'
import type { RunningStore } from '../../compose/servers/running-store.ts'
import { makeServerTls } from '../../compose/servers/server-tls.ts'
import { Missing } from '../../service/cli/checks/check.ts'
import type { OnProgress } from '../../service/cli/progress.ts'
import { type Place, placeOf } from '../../service/config/checks.ts'
import { ConfigError } from '../../service/config/config.ts'
import { type Environment, type ReadFile, readVariables } from '../../service/config/parse.ts'
import { proxiesIn } from '../../service/config/proxies.ts'
import { variables } from '../../service/config/variables.ts'
import { createS3Client } from '../../service/object-store/s3/client.ts'
import { observabilitySettings } from '../config/settings.ts'
import { type ServerName, type StoreAccess, serverNames } from './deployment.ts'
import type { Flags } from './flags.ts'

export type LokiOnS3 = 's3-thanos' | 's3-classic'
const clients = { 's3-thanos': 'thanos', 's3-classic': 'classic' } as const

/** The store that a run is about. */
export interface ChosenStore {
  access: StoreAccess
  /** Such as `MinIO at http://127.0.0.1:9000`. */
  description: string
  places: Partial<Record<ServerName, Place>>
  /** The client with which Loki reaches its place. */
  lokiVariant: LokiOnS3
  /** Other places that the configuration names: the documents. */
  others: readonly Place[]
  /** Stops what was started for the run. */
  stop(): Promise<void>
}

/** Where the servers keep their objects by default (ARCHITECTURE.md, "Configuration"). */
export const localPlaces: Record<ServerName, Place> = {
  loki: { bucket: 'cloudlysis-loki', prefix: 'loki/' },
  tempo: { bucket: 'cloudlysis-tempo', prefix: 'tempo/' },
}

/** Returns whether the environment names a store, completely or in part. */
export function isStoreConfigured(env: Environment): boolean {
  return Object.keys(env).some((name) => name.startsWith('S3_') && env[name] !== undefined)
}

/**
 * Returns the store that the `S3_*` variables name.
 *
 * @throws {ConfigError} with everything that is wrong with them.
 * @throws {Missing} if the bucket of a server is not named.
 */
export async function configuredStore(
  env: Environment,
  servers: readonly ServerName[],
  readFile: ReadFile,
  variant: LokiOnS3 | undefined,
): Promise<ChosenStore> {
  const ofStore = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('S3_')))
  const lokiClient = variant === undefined ? undefined : clients[variant]
  const settings = await observabilitySettings(ofStore, { readFile, lokiClient })
  const unnamed = servers.filter((server) => settings[server] === null)
  if (unnamed.length > 0) {
    const names = unnamed.map((server) => `S3_BUCKET_${server.toUpperCase()}`).join(' and ')
    throw new Missing(`${names}: the store is configured, and ${unnamed.join(' and ')} has no bucket in it`)
  }
  const one = settings.loki ?? settings.tempo
  if (one === null) throw new Missing('S3_BUCKET_LOKI or S3_BUCKET_TEMPO')
  const endpoint = `${one.insecure ? 'http' : 'https'}://${one.endpoint}`
  const proxy = proxiesIn(env.PROXY_FOR, env).proxyFor('store', endpoint)
  const { accessKeyId, secretAccessKey, others } = keysAndDocuments(ofStore, readFile)
  return {
    access: {
      endpoint,
      region: one.region,
      accessKeyId,
      secretAccessKey,
      forcePathStyle: one.forcePathStyle,
      ...(one.caFile === null ? {} : { ca: readFile(one.caFile) }),
      ...(proxy === undefined ? {} : { proxy: proxy.reveal() }),
    },
    description: `the configured store at ${endpoint}`,
    places: Object.fromEntries(
      servers.map((server) => [
        server,
        { bucket: settings[server]?.bucket ?? '', prefix: `${settings[server]?.prefix}/` },
      ]),
    ),
    lokiVariant: settings.loki?.client === 'classic' ? 's3-classic' : 's3-thanos',
    others,
    stop: async () => {},
  }
}

/** What the servers do not have: the keys, which they read from a file, and the place of the documents. */
function keysAndDocuments(env: Environment, readFile: ReadFile) {
  const { S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_BUCKET_DOCS, S3_PREFIX_DOCS } = variables
  const table = { S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, S3_BUCKET_DOCS, S3_PREFIX_DOCS }
  const { values, problems } = readVariables(table, env, { readFile, optional: ['S3_BUCKET_DOCS'] })
  if (problems.length > 0) throw new ConfigError(problems)
  const documents = placeOf(values.S3_BUCKET_DOCS, values.S3_PREFIX_DOCS)
  return {
    accessKeyId: values.S3_ACCESS_KEY_ID ?? '',
    secretAccessKey: values.S3_SECRET_ACCESS_KEY ?? '',
    others: documents === undefined ? [] : [documents],
  }
}

/**
 * Starts a store for this run, with empty buckets.
 *
 * @throws {ServerBuildError} or {ServerStartError} if it cannot be built or started.
 */
export async function startedStore(
  { store: kind = 'minio', tls, variant = 's3-thanos' }: Pick<Flags, 'store' | 'tls' | 'variant'>,
  onProgress: OnProgress,
): Promise<ChosenStore> {
  const options = { tls: tls ? await makeServerTls() : undefined, onProgress }
  const store: RunningStore = kind === 'minio' ? await startMinio(options) : await startRgw(options)
  try {
    await createBuckets(store)
  } catch (error) {
    await store.stop()
    throw error
  }
  return {
    access: store,
    description: `${titles[kind]} of this run's own at ${store.endpoint}`,
    places: localPlaces,
    lokiVariant: variant,
    others: [],
    stop: () => store.stop(),
  }
}

const titles = { minio: 'MinIO', 'ceph-rgw': 'Ceph RGW' }

async function createBuckets(store: StoreAccess): Promise<void> {
  const client = createS3Client(store)
  try {
    for (const server of serverNames) {
      await client.send(new CreateBucketCommand({ Bucket: localPlaces[server].bucket }))
    }
  } finally {
    client.destroy()
  }
}
