/** `bun compose/stacks/settled.ts <service…>`: waits until Swarm services are up to date and running. */
import { createCommand, exitCodes, LocalFailure, runCommand } from '../../service/cli/command.ts'
import { printLine } from '../../service/cli/output.ts'
import { requireDocker } from '../servers/docker-engine.ts'
import { untilSettled } from './swarm-service.ts'

const secondsMax = 600

const command = createCommand(
  'bun compose/stacks/settled.ts',
  'Waits until no update of these Swarm services is under way and all of their tasks run. An update that was rolled ' +
    'back or has stopped is a failure (exit code 1).',
).argument('<services...>', 'names of the services')

await runCommand(command, async (_flags, { args: services }) => {
  await requireDocker()
  const onChange = (line: string) => void printLine(line)
  const outcomes = await Promise.all(
    services.map((service) => untilSettled(service, { env: process.env, secondsMax, onChange })),
  )
  const refused = services
    .map((service, at) => ({ service, outcome: outcomes[at] }))
    .filter(({ outcome }) => outcome !== 'none' && outcome !== 'completed')
  if (refused.length === 0) return exitCodes.done
  throw new LocalFailure(refused.map(({ service, outcome }) => `${service}: ${outcome}`).join('\n'))
})
