import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { mustRun } from '../run-command.ts'
import { type CephLayout, cephConfig, monAddress, newKeyring } from './ceph-rgw-config.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const readySecondsMax = 60
const stopSecondsMax = 10

/** A Ceph cluster of one monitor and one OSD, for a gateway to stand on. */
export interface CephCluster {
  /** Environment with which Ceph's programs find it. */
  env: Record<string, string>
  /** SIGKILL; the data are kept. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts monitor and OSD on `layout.dataDir`, which it fills if it is new. They may still be finding each other
 * when this returns; their clients wait.
 *
 * @throws {ServerStartError} if one of them does not start. @throws {CommandError} if the data cannot be made.
 */
export async function startCephCluster(layout: Omit<CephLayout, 'fsid'>): Promise<CephCluster> {
  const { dataDir, ownDir } = layout
  const isNew = !existsSync(join(dataDir, 'osd/ready'))
  if (isNew) await makeData(dataDir)
  const fsid = await readFile(join(dataDir, 'fsid'), 'utf8')
  const conf = join(ownDir, 'ceph.conf')
  await writeFile(conf, cephConfig({ ...layout, fsid }), { mode: 0o600 })
  const env = { HOME: ownDir, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', CEPH_CONF: conf }
  const run = (argv: string[]) => mustRun(argv, { env, cwd: ownDir, secondsMax: readySecondsMax })

  await placeMonitor({ ...layout, fsid }, isNew, run)
  const mon = await startDaemon('ceph-mon', ['-i', 'a'], {
    env,
    ownDir,
    isReady: () => accepts(layout.monPort),
  })
  const servers = [mon]
  const endAll = async (how: 'stop' | 'kill') => {
    for (const server of servers.toReversed()) await server[how]()
  }
  try {
    if (isNew) await makeOsd(dataDir, run)
    servers.push(await startDaemon('ceph-osd', ['-i', '0'], { env, ownDir, isReady: async () => true }))
    return { env, kill: () => endAll('kill'), stop: () => endAll('stop') }
  } catch (error) {
    await endAll('kill')
    throw error
  }
}

/** Starts one of Ceph's servers in the foreground; what it prints goes to `<program>.log`. */
export function startDaemon(
  program: string,
  args: string[],
  options: { env: Record<string, string>; ownDir: string; isReady: () => Promise<boolean> },
): Promise<ServerProcess> {
  return startServer({
    name: program,
    argv: [program, ...args, '--foreground'],
    env: options.env,
    cwd: options.ownDir,
    logFile: join(options.ownDir, `${program}.log`),
    isReady: options.isReady,
    readySecondsMax,
    stopSecondsMax,
  })
}

type Run = (argv: string[]) => Promise<string>

async function makeData(dataDir: string): Promise<void> {
  await mkdir(join(dataDir, 'mon'), { recursive: true })
  await mkdir(join(dataDir, 'osd'), { recursive: true })
  await writeFile(join(dataDir, 'fsid'), crypto.randomUUID())
  await writeFile(join(dataDir, 'keyring'), newKeyring(), { mode: 0o600 })
}

/** Writes the monitor's address into its data: it differs at each start, and the monitor accepts no other. */
async function placeMonitor(layout: CephLayout, isNew: boolean, run: Run): Promise<void> {
  const monmap = join(layout.ownDir, 'monmap')
  const address = monAddress(layout.monPort)
  await run(['monmaptool', '--create', '--fsid', layout.fsid, '--addv', 'a', address, monmap])
  if (isNew) {
    const keyring = join(layout.dataDir, 'keyring')
    await run(['ceph-mon', '-i', 'a', '--mkfs', '--monmap', monmap, '--keyring', keyring])
  } else {
    await run(['ceph-mon', '-i', 'a', '--inject-monmap', monmap])
  }
}

async function makeOsd(dataDir: string, run: Run): Promise<void> {
  const uuid = crypto.randomUUID()
  await run(['ceph', 'osd', 'new', uuid, '0'])
  await run(['ceph-osd', '-i', '0', '--mkfs', '--no-mon-config', '--osd-uuid', uuid])
  await writeFile(join(dataDir, 'osd/ready'), '')
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
