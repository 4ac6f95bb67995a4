import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { isScope, scopes } from '../../authz/principal.ts'
import { tenantPattern } from '../../wire/names.ts'
import { chooseStart, type LocalStart, localFolder, NoSuchStart, readLocalStarts } from './local-state.ts'

/** Commands that print one thing made with the key of a running start: `bun run token` and `bun run link`. */

const usageExitCode = 2
const tenantForm = new RegExp(tenantPattern)

interface WhichStart {
  port?: number
  local: string
}

export function localCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option(
      '--port <port>',
      'port of the start, where several run (or PORT)',
      parsePort,
      portFromEnvironment(),
    )
    .option('--local <folder>', 'where start keeps its state', localFolder)
    .exitOverride()
}

/** Prints what `print` makes with the chosen start, alone on standard output. @returns the exit code. */
export async function runLocalCommand<Options extends object>(
  command: Command,
  print: (start: LocalStart, options: Options) => Promise<string>,
): Promise<number> {
  try {
    const options = command.parse().opts<Options & WhichStart>()
    const start = chooseStart(await readLocalStarts(options.local), options.port)
    process.stdout.write(`${await print(start, options)}\n`)
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode
    if (!(error instanceof NoSuchStart)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    return usageExitCode
  }
}

/** For an option that is repeated; takes the place of its default. */
export function addTenant(tenant: string, before: string[] = []): string[] {
  if (!tenantForm.test(tenant)) {
    throw new InvalidArgumentError('A tenant is a DNS label: a-z, 0-9 and inner hyphens, at most 63.')
  }
  return [...before, tenant]
}

export function parseScopeList(list: string): string {
  const asked = list.split(' ').filter((scope) => scope !== '')
  const unknown = asked.filter((scope) => !isScope(scope))
  if (unknown.length > 0 || asked.length === 0) {
    throw new InvalidArgumentError(`Scopes are ${scopes.join(', ')}.`)
  }
  return asked.join(' ')
}

export function integerIn(text: string, min: number, max: number, what: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new InvalidArgumentError(`${what} from ${min} to ${max}.`)
}

function parsePort(text: string): number {
  return integerIn(text, 1, 65_535, 'Give a port')
}

function portFromEnvironment(): number | undefined {
  const port = Number(Bun.env.PORT)
  return Number.isInteger(port) && port > 0 ? port : undefined
}
