import { mustRun, runCommand } from '../../../compose/run-command.ts'
import { until } from '../../../observability/proof/until.ts'
import { aptInstall } from '../apt.ts'
import { type RunningDocker, startDocker } from '../stores/dockerd.ts'

/** Ports for VXLAN: below those that the system gives away by itself. */
const firstDataPort = 10_000
const dataPorts = 20_000

/** A Docker Engine of this process alone, as a Swarm of one node. */
export interface SwarmEngine extends RunningDocker {
  /** Address at which only containers reach this machine. */
  hostAddress: string
  /** Removes all stacks, with the secrets, configs and volumes that were made for them; images stay. */
  empty(): Promise<void>
}

/**
 * Starts one, never the machine's own: that is not ours to make a Swarm of. Takes root on Linux; Debian's `docker.io`
 * is installed if need be.
 *
 * @throws {ServerStartError | CommandError} if it does not come up.
 */
export async function startSwarm(): Promise<SwarmEngine> {
  if (Bun.which('dockerd') === null || Bun.which('docker') === null)
    await aptInstall(['docker.io', 'iptables'])
  const docker = await startDocker()
  const { env } = docker
  try {
    // The network by which tasks reach their host, under a name of its own: two engines would share an interface.
    const bridge = `clgw${process.pid}`
    const options = ['enable_icc=false', 'enable_ip_masquerade=true', `name=${bridge}`]
    const named = options.flatMap((option) => ['--opt', `com.docker.network.bridge.${option}`])
    await mustRun(['docker', 'network', 'create', ...named, 'docker_gwbridge'], { env })
    // Nodes of a Swarm talk on port 7946 of this address, which cannot be chosen: each engine has its own address.
    const address = `127.77.${(process.pid >> 8) & 255}.${process.pid & 255}`
    const addresses = ['--advertise-addr', address, '--listen-addr', `${address}:2377`]
    // The kernel has each number of a network once for each port, and every Swarm begins with the same number.
    const dataPath = ['--data-path-port', String(firstDataPort + (process.pid % dataPorts))]
    const init = ['docker', 'swarm', 'init', ...addresses, ...dataPath]
    await mustRun(init, { env })
    const gateway = [
      'docker',
      'network',
      'inspect',
      '--format',
      '{{(index .IPAM.Config 0).Gateway}}',
      'docker_gwbridge',
    ]
    const hostAddress = (await mustRun(gateway, { env })).trim()
    const empty = () => emptySwarm(env)
    const stop = async () => {
      await runCommand(['docker', 'swarm', 'leave', '--force'], { env, secondsMax: 120 })
      await docker.stop()
      await runCommand(['ip', 'link', 'delete', bridge])
    }
    return { ...docker, hostAddress, empty, stop }
  } catch (error) {
    await docker.stop()
    throw error
  }
}

/** Kills all tasks, without waiting for their work. The Swarm removes containers and networks. */
async function emptySwarm(env: RunningDocker['env']): Promise<void> {
  const ids = async (...args: string[]) =>
    (await mustRun(['docker', ...args, '--quiet'], { env })).split('\n').filter((id) => id !== '')
  const stacks = await mustRun(['docker', 'stack', 'ls', '--format', '{{.Name}}'], { env })
  const names = stacks.split('\n').filter((name) => name !== '')
  const isEmpty = async () => {
    // Fails while an update still starts tasks in a network of the stack: then it is repeated.
    if (names.length > 0) await runCommand(['docker', 'stack', 'rm', ...names], { env })
    const label = ['--filter', 'label=com.docker.stack.namespace']
    const tasks = await ids('ps', ...label)
    if (tasks.length > 0) await runCommand(['docker', 'kill', ...tasks], { env })
    const left = [...(await ids('ps', '--all', ...label)), ...(await ids('network', 'ls', ...label))]
    return left.length === 0 ? true : null
  }
  if ((await until(60, isEmpty)) === null) throw new Error(`${names.join(', ')}: not removed`)
  for (const kind of ['secret', 'config', 'volume']) {
    const left = await ids(kind, 'ls')
    if (left.length > 0) await mustRun(['docker', kind, 'rm', ...left], { env })
  }
}
