import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../../../compose/run-command.ts'
import type { DockerEnvironment } from '../../../compose/servers/docker-engine.ts'
import { startServer } from '../../../compose/servers/server-process.ts'
import { makeTempFolder, removeTempFolder } from '../../../service/cli/temp-folder.ts'

const readySecondsMax = 60

/** A Docker Engine that this process started, next to any other one on the machine. */
export interface RunningDocker {
  pid: number
  /** Environment in which the `docker` command talks to it. */
  env: DockerEnvironment
  /** Removes its containers and networks, ends it, and removes its images, volumes and everything else. */
  stop(): Promise<void>
}

/**
 * Starts a Docker Engine with folders and a socket of its own. It has no default bridge network, so that it
 * disturbs no other engine: containers have to name a network, as those of Compose do. Needs root on Linux
 * and `dockerd` (Debian: `docker.io`).
 *
 * @param proxy what the environment of every container names as its proxy, as on a machine behind one; default: none.
 * @throws {ServerStartError} if it does not come up.
 */
export async function startDocker({ proxy }: { proxy?: string } = {}): Promise<RunningDocker> {
  const own = await makeTempFolder('docker')
  const host = `unix://${join(own, 'docker.sock')}`
  const env = { ...process.env, DOCKER_HOST: host, DOCKER_CONFIG: join(own, 'config') }
  await mkdir(join(own, 'config'))
  const proxies = proxy === undefined ? {} : { default: { httpProxy: proxy, httpsProxy: proxy } }
  await writeFile(join(own, 'config', 'config.json'), JSON.stringify({ proxies }))
  const folders = ['--data-root', join(own, 'data'), '--exec-root', join(own, 'exec')]
  const places = [...folders, '--pidfile', join(own, 'pid'), '--host', host]
  const server = await startServer({
    name: 'dockerd',
    // With forwarding it would set the machine's whole FORWARD chain to DROP.
    argv: ['dockerd', ...places, '--bridge', 'none', '--ip-forward=false', '--shutdown-timeout', '5'],
    env: { HOME: own, PATH: process.env.PATH ?? '' },
    cwd: own,
    logFile: join(own, 'log'),
    isReady: async () => (await runCommand(['docker', 'info'], { env })).exitCode === 0,
    readySecondsMax,
    stopSecondsMax: 30,
  })
  const stop = async () => {
    await removeContainers(env)
    await server.stop()
    await unmountBelow(own)
    await removeTempFolder(own)
  }
  return { pid: server.pid, env, stop }
}

/** Removes all containers and networks: their interfaces would outlive the engine. */
async function removeContainers(env: DockerEnvironment): Promise<void> {
  const { stdout } = await runCommand(['docker', 'ps', '--all', '--quiet'], { env })
  const ids = stdout.split('\n').filter((id) => id !== '')
  if (ids.length > 0) await runCommand(['docker', 'rm', '--force', '--volumes', ...ids], { env })
  await runCommand(['docker', 'network', 'prune', '--force'], { env })
}

/** Unmounts what a Swarm leaves: the engine does not wait until the namespace of its ingress network is gone. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n')
  const below = mounts.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${folder}/`))
  for (const path of below.reverse()) await runCommand(['umount', path])
}
