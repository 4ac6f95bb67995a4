import type { Secret } from '../../telemetry/secret.ts'
import type { ObjectStore } from '../object-store.ts'
import { prefixed } from '../prefixed-object-store.ts'
import type { S3Connection, StoreDeadlines } from './connection.ts'
import { createS3Connections, divideS3Connections, type OwnerOf } from './connections.ts'
import { createS3ObjectStore } from './s3-object-store.ts'

/** As much of the parsed configuration as is needed to reach the documents; secrets are still covered. */
export interface StoreSettings {
  s3: Readonly<{
    endpoint: string
    publicEndpoint: string
    region: string
    accessKeyId: Secret
    secretAccessKey: Secret
    forcePathStyle: boolean
    ca?: string | undefined
    proxy?: Secret | undefined
    connectionsMax: number
  }>
  docs: Readonly<{ bucket: string; prefix: string }>
}

export interface OpenStoreOptions {
  /** Default: those of `limits.ts`. */
  deadlines?: StoreDeadlines | undefined
  /** Wraps the bucket below the prefix, for traces and metrics; default: nothing. */
  observe?: ((bucket: ObjectStore) => ObjectStore) | undefined
  /** On whose behalf a key below the prefix is used, to divide the connections by; default: all are for everything. */
  ownerOf?: OwnerOf | undefined
}

/** The object store of the documents, reached as the configuration says. */
export interface OpenStore {
  /** Reaches the bucket over reserved connections; for what works below the port, such as the probe and the signer. */
  connection: S3Connection & { publicEndpoint: string }
  /** The documents, with keys below `S3_PREFIX_DOCS`. */
  store: ObjectStore
  /** The same over reserved connections, for health checks. */
  reserved: ObjectStore
  /** Frees idle connections. Afterwards nothing may be called. */
  close(): void
}

/** The connection to the bucket of the documents: the one place where the keys of the store are revealed. */
export function storeConnection({ s3, docs }: StoreSettings): OpenStore['connection'] {
  const { endpoint, publicEndpoint, region, forcePathStyle, ca, connectionsMax } = s3
  return {
    ...{ endpoint, publicEndpoint, region, forcePathStyle, ca, connectionsMax },
    accessKeyId: s3.accessKeyId.reveal(),
    secretAccessKey: s3.secretAccessKey.reveal(),
    proxy: s3.proxy?.reveal(),
    bucket: docs.bucket,
    // One limit for everything that is made from this connection, the probe included.
    connections: createS3Connections(connectionsMax),
  }
}

/** Opens the object store of the documents. Calls nothing: the first call may find that it is out of reach. */
export function openStore(
  settings: StoreSettings,
  { deadlines, observe = (bucket) => bucket, ownerOf }: OpenStoreOptions = {},
): OpenStore {
  const { prefix } = settings.docs
  const whole = { ...storeConnection(settings), deadlines }
  const divided = ownerOf
    ? divideS3Connections(whole.connectionsMax, (key) => ownerOf(key.slice(prefix.length)))
    : null
  const connection = { ...whole, connections: divided?.reserved ?? whole.connections }
  const reserved = createS3ObjectStore(connection)
  const bucket = divided ? createS3ObjectStore({ ...whole, connections: divided.tenants }) : reserved
  return {
    connection,
    store: prefixed(observe(bucket), prefix),
    reserved: prefixed(observe(reserved), prefix),
    close() {
      bucket.close()
      reserved.close()
    },
  }
}
