import { mustRun } from '../run-command.ts'
import type { DockerEnvironment } from '../servers/docker-engine.ts'

/** How an update of a Swarm service ended; `none`: it was not updated. */
export type UpdateOutcome = 'none' | 'completed' | 'rollback_completed' | 'paused' | 'rollback_paused'

/** The state of a Swarm service, as the manager reports it. */
interface ServiceState {
  update: UpdateOutcome | 'updating' | 'rollback_started'
  /** Running tasks and wanted tasks, such as `2/2`. */
  replicas: string
}

/** The manager reports an update only some moments after it was requested. */
const quietSeconds = 5

/**
 * Waits until no update of a Swarm service is under way and all of its tasks run.
 *
 * @param onChange called with every new state.
 * @throws {CommandError} if there is no such service. @throws {Error} if it is not settled after `secondsMax`.
 */
export async function untilSettled(
  service: string,
  options: { env: DockerEnvironment; secondsMax: number; onChange?: (line: string) => void },
): Promise<UpdateOutcome> {
  const deadline = performance.now() + options.secondsMax * 1000
  let reported = ''
  for (let quiet = 0; performance.now() < deadline; await Bun.sleep(1000)) {
    const { update, replicas } = await stateOf(service, options.env)
    const line = `${service}: ${update === 'none' ? '' : `${update}, `}${replicas} running`
    if (line !== reported) options.onChange?.(line)
    reported = line
    const [running, wanted] = replicas.split('/')
    if (update === 'updating' || update === 'rollback_started' || running !== wanted) quiet = 0
    else if (update !== 'none') return update
    else if (++quiet > quietSeconds) return update
  }
  throw new Error(`not settled after ${options.secondsMax} s: ${reported}`)
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
