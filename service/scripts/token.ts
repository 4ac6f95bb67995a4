import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { isScope, scopes } from '../authz/principal.ts'
import { tenantPattern } from '../documents/document-ref.ts'
import { chooseStart, localFolder, NoSuchStart, readLocalStarts } from './local-state.ts'
import { signLocalToken } from './local-token.ts'

const usageExitCode = 2
const expirySecondsMax = 24 * 60 * 60
const tenantForm = new RegExp(tenantPattern)

interface TokenOptions {
  tenant: string[]
  scope: string
  subject: string
  expires: number
  port?: number
  local: string
}

const command = new Command('bun run token')
  .description('Prints a token for the service that `bun run start` runs, alone on standard output.')
  .requiredOption('--tenant <tenant>', 'tenant the token is for; repeat it for more', addTenant)
  .requiredOption('--scope <scopes>', `space-separated: ${scopes.join(' ')}`, parseScopeList)
  .option('--subject <subject>', 'who the token speaks for', 'local-developer')
  .option('--expires <seconds>', `how long it is valid, 1–${expirySecondsMax}`, parseExpiry, 3600)
  .option('--port <port>', 'port of the start, where several run (or PORT)', parsePort, portFromEnvironment())
  .option('--local <folder>', 'where start keeps its state', localFolder)
  .exitOverride()

function addTenant(tenant: string, before: string[] = []): string[] {
  if (!tenantForm.test(tenant)) {
    throw new InvalidArgumentError('A tenant is a DNS label: a-z, 0-9 and inner hyphens, at most 63.')
  }
  return [...before, tenant]
}

function parseScopeList(list: string): string {
  const asked = list.split(' ').filter((scope) => scope !== '')
  const unknown = asked.filter((scope) => !isScope(scope))
  if (unknown.length > 0 || asked.length === 0) {
    throw new InvalidArgumentError(`Scopes are ${scopes.join(', ')}.`)
  }
  return asked.join(' ')
}

function parseExpiry(text: string): number {
  return integerIn(text, 1, expirySecondsMax, 'Give seconds')
}

function parsePort(text: string): number {
  return integerIn(text, 1, 65_535, 'Give a port')
}

function integerIn(text: string, min: number, max: number, what: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new InvalidArgumentError(`${what} from ${min} to ${max}.`)
}

function portFromEnvironment(): number | undefined {
  const port = Number(Bun.env.PORT)
  return Number.isInteger(port) && port > 0 ? port : undefined
}

async function main(): Promise<number> {
  try {
    const options = command.parse().opts<TokenOptions>()
    const start = chooseStart(await readLocalStarts(options.local), options.port)
    const { tenant: tenants, scope, subject, expires: expiresInSeconds } = options
    const token = await signLocalToken(start, { tenants, scope, subject, expiresInSeconds })
    process.stdout.write(`${token}\n`)
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode
    if (!(error instanceof NoSuchStart)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    return usageExitCode
  }
}

process.exitCode = await main()
