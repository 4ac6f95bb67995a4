import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { makeTempFolder, removeTempFolder } from '../../service/cli/temp-folder.ts'
import { freePorts, onFreePorts } from './free-port.ts'
import {
  originList,
  type RunningStore,
  randomCredentials,
  type StoreCredentials,
  type StoreOptions,
} from './running-store.ts'
import { installSeaweedfs } from './seaweedfs-install.ts'
import { answersOk, startServer } from './server-process.ts'

/** Volumes are files that grow to this size: small ones fit on any disk. */
const volumeMegabytesMax = 256
const readySecondsMax = 60

export interface SeaweedfsOptions extends StoreOptions {
  onProgress?: OnProgress | undefined
}

/**
 * Installs SeaweedFS if need be and runs it on 127.0.0.1 until `stop`. Its inner servers (master, volume,
 * filer) listen there too and ask for no credentials, unlike MinIO: for tests, and as the last resort of
 * `start`.
 *
 * @throws {ServerBuildError} without pip. @throws {ServerStartError} if it does not come up.
 */
export async function startSeaweedfs(options: SeaweedfsOptions = {}): Promise<RunningStore> {
  const weed = await installSeaweedfs(options.onProgress)
  return onFreePorts(() => runSeaweedfs(weed, options))
}

async function runSeaweedfs(weed: string, options: SeaweedfsOptions): Promise<RunningStore> {
  const credentials = options.credentials ?? randomCredentials()
  const own = await makeTempFolder('seaweedfs')
  try {
    const dataDir = options.dataDir ?? join(own, 'data')
    await mkdir(dataDir, { recursive: true })
    await writeFile(join(own, 's3.json'), identities(credentials), { mode: 0o600 })
    const ports = await freePorts(portNames.length)
    const port = options.port ?? ports[portNames.indexOf('s3.port')] ?? 0
    const endpoint = `http://127.0.0.1:${port}`
    const server = await startServer({
      name: 'seaweedfs',
      argv: [weed, 'server', ...serverArguments(own, dataDir, ports, options), `-s3.port=${port}`],
      env: {
        HOME: own,
        PATH: '/usr/bin:/bin',
        // A bucket has volumes of its own, seven from its first object on, and a disk has room for some hundreds.
        WEED_MASTER_VOLUME_GROWTH_COPY_1: '1',
      },
      cwd: own,
      logFile: join(own, 'log'),
      isReady: () => answersOk(`${endpoint}/healthz`),
      readySecondsMax,
      // It takes longer whenever a client has been there; what was written is safe by then.
      stopSecondsMax: 3,
    })
    const stop = async () => {
      await server.stop()
      await removeTempFolder(own)
    }
    const { accessKeyId, secretAccessKey } = credentials
    const connection = { endpoint, region: 'us-east-1', accessKeyId, secretAccessKey, forcePathStyle: true }
    return { ...server, ...connection, kind: 'seaweedfs', stop }
  } catch (error) {
    await removeTempFolder(own)
    throw error
  }
}

const portNames = [
  'master.port',
  'master.port.grpc',
  'volume.port',
  'volume.port.grpc',
  'filer.port',
  'filer.port.grpc',
  's3.port.grpc',
  's3.port',
]

function serverArguments(
  own: string,
  dataDir: string,
  ports: number[],
  { browserOrigins }: SeaweedfsOptions,
): string[] {
  return [
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    `-dir=${dataDir}`,
    ...portNames
      .filter((name) => name !== 's3.port')
      .map((name) => `-${name}=${ports[portNames.indexOf(name)]}`),
    `-master.volumeSizeLimitMB=${volumeMegabytesMax}`,
    // As many volumes as the disk holds; the default of 8 is used up by four buckets.
    '-volume.max=0',
    '-volume.preStopSeconds=0',
    // On by default: nothing here may call out.
    '-master.telemetry=false',
    '-filer',
    `-filer.localSocket=${join(own, 'filer.sock')}`,
    '-s3',
    `-s3.config=${join(own, 's3.json')}`,
    `-s3.localSocket=${join(own, 's3.sock')}`,
    // An upload into a bucket that is not there has to fail, as it does elsewhere.
    '-s3.autoCreateBucket=false',
    '-s3.iam=false',
    // Where a bucket has no rule of its own, and for the address of a bucket, where forms go, even then. Others
    // who ask about that address get a reset connection (it panics), which is a no to a browser as well.
    `-s3.allowedOrigins=${originList(browserOrigins)}`,
    '-s3.port.iceberg=0',
    '-s3.port.lance=0',
  ]
}

/** One identity that may do everything (SeaweedFS wiki, "Amazon S3 API", s3.json). */
function identities(credentials: StoreCredentials): string {
  const { accessKeyId: accessKey, secretAccessKey: secretKey } = credentials
  const actions = ['Admin', 'Read', 'Write', 'List', 'Tagging']
  return JSON.stringify({ identities: [{ name: 'local', credentials: [{ accessKey, secretKey }], actions }] })
}
