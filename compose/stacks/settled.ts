/**
 * `bun compose/stacks/settled.ts <service> …`: waits until no update of these Swarm services is under way and all of their
 * tasks run. Exit codes: 0 so it is, 1 an update was rolled back or has stopped, 2 wrong usage, 3 no engine.
 */
import { whyNoDocker } from '../servers/docker-engine.ts'
import { untilSettled } from './swarm-service.ts'

const secondsMax = 600
const services = process.argv.slice(2)

async function main(): Promise<number> {
  if (services.length === 0) return complain('which service?', 2)
  const whyNot = await whyNoDocker()
  if (whyNot !== null) return complain(`no usable Docker Engine: ${whyNot}`, 3)
  const onChange = (line: string) => void process.stdout.write(`${line}\n`)
  const outcomes = await Promise.all(
    services.map((service) => untilSettled(service, { env: process.env, secondsMax, onChange })),
  )
  const refused = services
    .map((service, at) => ({ service, outcome: outcomes[at] }))
    .filter(({ outcome }) => outcome !== 'none' && outcome !== 'completed')
  if (refused.length === 0) return 0
  return complain(refused.map(({ service, outcome }) => `${service}: ${outcome}`).join('\n'), 1)
}

function complain(message: string, exitCode: number): number {
  process.stderr.write(`${message}\n`)
  return exitCode
}

process.exitCode = await main()
