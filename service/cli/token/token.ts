import { scopes } from '../../authz/principal.ts'
import { signLocalToken } from '../local-issuer/access-token.ts'
import { localCommand, runLocalCommand } from '../local-issuer/start-command.ts'
import { addTenant, integerIn, parseScopes } from '../values.ts'

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
  .requiredOption('--tenant <tenant>', 'tenant of the token; can be repeated', addTenant)
  .requiredOption('--scope <scopes>', `space-separated: ${scopes.join(' ')}`, parseScopes)
  .option('--subject <subject>', 'subject of the token', 'local-developer')
  .option(
    '--expires <seconds>',
    `how long the token is valid, 1–${expirySecondsMax}`,
    integerIn(1, expirySecondsMax, 'a number of seconds'),
    3600,
  )

await runLocalCommand<TokenOptions>(
  command,
  (start, { tenant: tenants, scope, subject, expires: expiresInSeconds }) =>
    signLocalToken(start, { tenants, scope, subject, expiresInSeconds }),
)
