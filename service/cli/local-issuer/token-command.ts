import { scopes } from '../../authz/principal.ts'
import { addTenant, integerIn, localCommand, parseScopeList, runLocalCommand } from './local-command.ts'
import { signLocalToken } from './local-token.ts'

const expirySecondsMax = 24 * 60 * 60

interface TokenOptions {
  tenant: string[]
  scope: string
  subject: string
  expires: number
}

const command = localCommand(
  'bun run token',
  'Prints a token for the service that `bun run start` runs, alone on standard output.',
)
  .requiredOption('--tenant <tenant>', 'tenant the token is for; repeat it for more', addTenant)
  .requiredOption('--scope <scopes>', `space-separated: ${scopes.join(' ')}`, parseScopeList)
  .option('--subject <subject>', 'who the token speaks for', 'local-developer')
  .option('--expires <seconds>', `how long it is valid, 1–${expirySecondsMax}`, parseExpiry, 3600)

function parseExpiry(text: string): number {
  return integerIn(text, 1, expirySecondsMax, 'Give seconds')
}

process.exitCode = await runLocalCommand<TokenOptions>(
  command,
  (start, { tenant: tenants, scope, subject, expires: expiresInSeconds }) =>
    signLocalToken(start, { tenants, scope, subject, expiresInSeconds }),
)
