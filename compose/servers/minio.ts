import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { buildServer } from './build-server.ts'
import { freePort, onFreePorts } from './free-port.ts'
import {
  originList,
  type RunningStore,
  randomCredentials,
  type ServerTls,
  type StoreOptions,
} from './running-store.ts'
import { answersOk, inOwnFolder, startServer, statusOf } from './server-process.ts'

const readySecondsMax = 60

export interface MinioOptions extends StoreOptions {
  /** Serve https with this certificate; default: plain http. */
  tls?: ServerTls | undefined
  /** Encrypt every object with this key, 32 bytes in base64 (SSE-KMS): its ETag is no MD5 then. Default: no encryption. */
  encryptionKey?: string | undefined
  /** Receives the progress of a build. */
  onProgress?: OnProgress | undefined
  /**
   * Keeps `dataDir` in memory, in a file system of this size that no other process sees: a disk that can be filled.
   * Takes root, or user namespaces (unshare(1)).
   */
  diskBytesMax?: number | undefined
}

export interface RunningMinio extends RunningStore {
  kind: 'minio'
}

/**
 * Builds MinIO if need be and runs it on 127.0.0.1 until `stop`. It has only the buckets in `dataDir`.
 *
 * @throws {ServerBuildError} without a Go toolchain. @throws {ServerStartError} if it does not come up, such
 *   as when the port is taken or the folder belongs to other credentials.
 */
export async function startMinio(options: MinioOptions = {}): Promise<RunningMinio> {
  const binary = await buildServer('minio', { onProgress: options.onProgress })
  const start = () => runMinio(binary, options)
  return options.port === undefined ? onFreePorts(start) : start()
}

async function runMinio(binary: string, options: MinioOptions): Promise<RunningMinio> {
  const scheme = options.tls === undefined ? 'http' : 'https'
  const endpoint = `${scheme}://127.0.0.1:${options.port ?? (await freePort())}`
  const ca = options.tls?.ca
  const { accessKeyId, secretAccessKey } = options.credentials ?? randomCredentials()
  return inOwnFolder('minio', async (own) => {
    const dataDir = options.dataDir ?? join(own, 'data')
    await mkdir(dataDir, { recursive: true })
    await writeFile(join(own, 'user'), accessKeyId, { mode: 0o600 })
    await writeFile(join(own, 'password'), secretAccessKey, { mode: 0o600 })
    await writeCertificate(join(own, 'certs'), options.tls)
    const listen = ['--address', new URL(endpoint).host]
    const server = await startServer({
      name: 'minio',
      argv: [
        ...withOwnDisk(dataDir, options.diskBytesMax),
        ...[binary, 'server', '--certs-dir', join(own, 'certs'), ...listen, dataDir],
      ],
      env: minioEnvironment(own, options),
      cwd: own,
      logFile: join(own, 'log'),
      isReady: async () =>
        // For a moment after it reports ready, MinIO answers 503 to every call about buckets.
        (await answersOk(`${endpoint}/minio/health/ready`, ca)) &&
        ((await statusOf(endpoint, ca)) ?? 500) < 500,
      readySecondsMax,
      stopSecondsMax: 10,
    })
    return {
      ...server,
      accessKeyId,
      secretAccessKey,
      kind: 'minio' as const,
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      ...(options.tls === undefined ? {} : { ca: options.tls.ca }),
    }
  })
}

/** Returns what runs a program, with the same process id, after it has mounted the disk of {@link MinioOptions}. */
function withOwnDisk(folder: string, bytesMax: number | undefined): string[] {
  if (bytesMax === undefined) return []
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const mount = `mount -t tmpfs -o size=${bytesMax} tmpfs "$1" && shift && exec "$@"`
  return ['unshare', ...asRoot, '--mount', '--', 'sh', '-c', mount, 'sh', folder]
}

/** MinIO serves https as soon as its folder of certificates has these two files. */
async function writeCertificate(folder: string, tls: ServerTls | undefined): Promise<void> {
  if (tls === undefined) return
  await mkdir(folder)
  await writeFile(join(folder, 'public.crt'), tls.certificate)
  await writeFile(join(folder, 'private.key'), tls.privateKey, { mode: 0o600 })
}

/** The same settings as in `compose/stacks/object-store.yaml`, and nothing of the caller's own environment. */
function minioEnvironment(own: string, options: MinioOptions): Record<string, string> {
  return {
    HOME: own,
    PATH: '/usr/bin:/bin',
    MINIO_ROOT_USER_FILE: join(own, 'user'),
    MINIO_ROOT_PASSWORD_FILE: join(own, 'password'),
    // No web console.
    MINIO_BROWSER: 'off',
    // The default is every origin, and MinIO knows no rule per bucket (501).
    MINIO_API_CORS_ALLOW_ORIGIN: originList(options.browserOrigins),
    // There are no more releases to update to, and nothing here may call out.
    MINIO_UPDATE: 'off',
    MINIO_CALLHOME_ENABLE: 'off',
    // In place of the lifecycle action AbortIncompleteMultipartUpload, which MinIO answers with 400.
    MINIO_API_STALE_UPLOADS_EXPIRY: '24h',
    MINIO_API_STALE_UPLOADS_CLEANUP_INTERVAL: '1h',
    ...(options.encryptionKey === undefined
      ? {}
      : { MINIO_KMS_SECRET_KEY: `own:${options.encryptionKey}`, MINIO_KMS_AUTO_ENCRYPTION: 'on' }),
  }
}
