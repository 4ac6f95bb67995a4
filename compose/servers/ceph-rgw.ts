import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { mustRun, runCommand } from '../run-command.ts'
import { debianPrograms } from './apt-install.ts'
import { type CephCluster, startCephCluster, startDaemon } from './ceph-rgw-cluster.ts'
import { freePorts, onFreePorts } from './free-port.ts'
import type { RunningStore, ServerTls, StoreCredentials, StoreOptions } from './running-store.ts'
import { answersOk, inOwnFolder } from './server-process.ts'

/** Ceph RGW of the system's release, which decides its behaviour. */
export const {
  installLine: rgwInstallLine,
  isInstalled: isRgwInstalled,
  install: installRgw,
} = debianPrograms({
  title: 'Ceph RGW',
  packages: ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-base', 'ceph-common'],
  programs: ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'monmaptool'],
  version: { argv: ['radosgw', '--version'], form: /^ceph version (\d+\.\d+\.\d+)/ },
})

/**
 * RGW creates its own keys and keeps them with the data, so none are given on the next start. A rule of each bucket
 * decides which pages may use it.
 */
export interface RgwOptions extends Omit<StoreOptions, 'credentials' | 'browserOrigins'> {
  /** Serve https with this certificate; default: plain http. */
  tls?: ServerTls | undefined
  /** Receives the progress of an installation. */
  onProgress?: OnProgress | undefined
}

export interface RunningRgw extends RunningStore {
  kind: 'ceph-rgw'
  /** Ceph's own, such as `16.2.15`. */
  version: string
  /** Environment in which `radosgw-admin` finds this cluster. */
  adminEnv: Record<string, string>
  /** SIGKILL to the gateway alone: monitor, OSD and data stay. */
  killGateway(): Promise<void>
  /** Starts the gateway again at the same address, after {@link RunningRgw.killGateway}. */
  startGatewayAgain(): Promise<void>
}

/**
 * Installs Ceph if need be (Debian packages, which takes root) and runs a cluster of one monitor, one OSD and
 * one RADOS gateway on 127.0.0.1 until `stop`. `pid` (that of the first one), `pause` and `logFile` are the gateway's;
 * `kill` and `stop` end all three. It answers only to path-style addresses.
 *
 * @throws {ServerBuildError} if Ceph is missing and cannot be installed. @throws {ServerStartError} or
 *   {CommandError} if it does not come up; nothing is left running then.
 */
export async function startRgw(options: RgwOptions = {}): Promise<RunningRgw> {
  const version = await installRgw(options.onProgress)
  const start = () => runRgw(version, options)
  return options.port === undefined ? onFreePorts(start) : start()
}

function runRgw(version: string, options: RgwOptions): Promise<RunningRgw> {
  return inOwnFolder('rgw', async (ownDir) => {
    const dataDir = options.dataDir ?? join(ownDir, 'data')
    await mkdir(dataDir, { recursive: true })
    const [monPort = 0, freePort = 0] = await freePorts(2)
    const host = `127.0.0.1:${options.port ?? freePort}`
    const frontend = await frontendAt(host, ownDir, options.tls)
    const cluster = await startCephCluster({ dataDir, ownDir, monPort, frontend })
    try {
      return { ...(await startGateway(cluster, ownDir, host, options.tls)), kind: 'ceph-rgw', version }
    } catch (error) {
      await cluster.kill()
      throw error
    }
  })
}

/** Value of `rgw_frontends` (docs.ceph.com, "HTTP Frontends"). */
async function frontendAt(host: string, ownDir: string, tls: ServerTls | undefined): Promise<string> {
  // Without it every small answer waits 40 ms for the client's acknowledgement.
  const options = 'tcp_nodelay=1'
  if (tls === undefined) return `beast endpoint=${host} ${options}`
  const certificate = join(ownDir, 'public.crt')
  const key = join(ownDir, 'private.key')
  await writeFile(certificate, tls.certificate)
  await writeFile(key, tls.privateKey, { mode: 0o600 })
  return `beast ssl_endpoint=${host} ssl_certificate=${certificate} ssl_private_key=${key} ${options}`
}

async function startGateway(
  cluster: CephCluster,
  ownDir: string,
  host: string,
  tls: ServerTls | undefined,
): Promise<Omit<RunningRgw, 'kind' | 'version'>> {
  const endpoint = `${tls === undefined ? 'http' : 'https'}://${host}`
  const start = () =>
    startDaemon('radosgw', ['--name', 'client.rgw'], {
      env: cluster.env,
      ownDir,
      isReady: () => answersOk(endpoint, tls?.ca),
    })
  let gateway = await start()
  try {
    const credentials = await userCredentials(cluster.env)
    return {
      ...gateway,
      ...credentials,
      adminEnv: cluster.env,
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      ...(tls === undefined ? {} : { ca: tls.ca }),
      pause: () => gateway.pause(),
      resume: () => gateway.resume(),
      killGateway: () => gateway.kill(),
      async startGatewayAgain() {
        gateway = await start()
      },
      kill: () => gateway.kill().then(cluster.kill),
      stop: () => gateway.stop().then(cluster.stop),
    }
  } catch (error) {
    await gateway.kill()
    throw error
  }
}

/** Returns the keys of the one user, created on the first start: RGW generates them, so no argument contains them. */
async function userCredentials(env: Record<string, string>): Promise<StoreCredentials> {
  const known = await runCommand(['radosgw-admin', 'user', 'info', '--uid=local'], { env })
  const create = ['radosgw-admin', 'user', 'create', '--uid=local', '--display-name=local']
  const user = known.exitCode === 0 ? known.stdout : await mustRun(create, { env })
  const { keys } = JSON.parse(user) as { keys: { access_key: string; secret_key: string }[] }
  const [key] = keys
  if (key === undefined) throw new Error('radosgw-admin made a user without keys')
  return { accessKeyId: key.access_key, secretAccessKey: key.secret_key }
}
