import { randomBytes } from 'node:crypto'
import type { ServerProcess } from './server-process.ts'

/** What a client needs to reach an object store. Satisfies the store settings of the service. */
export interface StoreConnection {
  kind: 'minio' | 'seaweedfs' | 'ceph-rgw'
  /** Origin without a trailing slash, such as `http://127.0.0.1:9000`. */
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  forcePathStyle: boolean
  /** PEM of the private certificate authority that signed its certificate, if the endpoint is https. */
  ca?: string
  /** URL of the proxy that tunnels there, if there is one. */
  proxy?: string
}

/** What a server needs for TLS and a client to verify it; all PEM. */
export interface ServerTls {
  certificate: string
  privateKey: string
  /** The authority that signed the certificate. */
  ca: string
}

/** An object store that this process started natively, and must stop. */
export interface RunningStore
  extends StoreConnection,
    Pick<ServerProcess, 'pid' | 'logFile' | 'pause' | 'resume' | 'kill' | 'exited'> {
  /** Ends it and removes its own temporary folder; a data folder given by the caller stays. */
  stop(): Promise<void>
}

export interface StoreCredentials {
  accessKeyId: string
  secretAccessKey: string
}

export interface StoreOptions {
  /** Kept after `stop`; default: a temporary folder, removed by `stop`. */
  dataDir?: string
  /** Port of the S3 API on 127.0.0.1; default: a free one. */
  port?: number
  /** Default: random. */
  credentials?: StoreCredentials
  /**
   * Origins whose pages may use the store (CORS), such as `http://127.0.0.1:8080`; a `*` in one stands for
   * anything. Default: none.
   */
  browserOrigins?: readonly string[] | undefined
}

/** Stores take an empty list for every origin; this origin cannot exist (RFC 6761 section 6.4). */
const impossibleOrigin = 'https://no-one.invalid'

/** Writes {@link StoreOptions.browserOrigins} as the servers' own settings expect it. */
export function originList(origins: readonly string[] = []): string {
  return origins.length === 0 ? impossibleOrigin : origins.join(',')
}

/** Generates a random access key (20 characters) and secret key (40 characters) in the form of AWS. */
export function randomCredentials(): StoreCredentials {
  return {
    accessKeyId: `AK${randomBytes(9).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(20).toString('hex'),
  }
}
