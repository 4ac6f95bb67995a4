import { mustRun } from '../run-command.ts'
import type { DockerEnvironment } from '../servers/docker-engine.ts'

/** How an update of a Swarm service ended; `none` where it runs as it was first deployed, or nothing changed. */
export type UpdateOutcome = 'none' | 'completed' | 'rollback_completed' | 'paused' | 'rollback_paused'

/** A moment of a Swarm service, as the manager sees it. */
interface ServiceState {
  update: UpdateOutcome | 'updating' | 'rollback_started'
  /** Tasks that run, of those that are wanted, such as `2/2`. */
  replicas: string
}

/** The manager says nothing about an update for a moment after it was told of one. */
const quietSeconds = 5

/**
 * Waits until no update of a Swarm service is under way and all of its tasks run.
 *
 * @param onChange told of every state that is new.
 * @throws {CommandError} if there is no such service. @throws {Error} if it is not settled after `secondsMax`.
 */
export async function untilSettled(
  service: string,
  options: { env: DockerEnvironment; secondsMax: number; onChange?: (line: string) => void },
): Promise<UpdateOutcome> {
  const deadline = performance.now() + options.secondsMax * 1000
  let told = ''
  for (let quiet = 0; performance.now() < deadline; await Bun.sleep(1000)) {
    const { update, replicas } = await stateOf(service, options.env)
    const line = `${service}: ${update === 'none' ? '' : `${update}, `}${replicas} running`
    if (line !== told) options.onChange?.(line)
    told = line
    const [running, wanted] = replicas.split('/')
    if (update === 'updating' || update === 'rollback_started' || running !== wanted) quiet = 0
    else if (update !== 'none') return update
    else if (++quiet > quietSeconds) return update
  }
  throw new Error(`not settled after ${options.secondsMax} s: ${told}`)
}

async function stateOf(service: string, env: DockerEnvironment): Promise<ServiceState> {
  const status = '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}'
  const update = (
    await mustRun(['docker', 'service', 'inspect', '--format', status, service], { env })
  ).trim()
  const list = [
    'docker',
    'service',
    'ls',
    '--filter',
    `name=${service}`,
    '--format',
    '{{.Name}} {{.Replicas}}',
  ]
  const lines = (await mustRun(list, { env })).split('\n')
  // Such as `2/2` or `2/2 (max 1 per node)`.
  const replicas = lines.find((line) => line.startsWith(`${service} `))?.split(' ')[1] ?? '0/?'
  return { update: update === '' ? 'none' : (update as ServiceState['update']), replicas }
}
