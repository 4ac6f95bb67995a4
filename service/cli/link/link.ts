import { scopes } from '../../authz/principal.ts'
import { localScope, localTenants, signInCode, signInLink } from '../local-issuer/sign-in-code.ts'
import { localCommand, runLocalCommand } from '../local-issuer/start-command.ts'
import { addTenant, parseScopes } from '../values.ts'

interface LinkOptions {
  tenant?: string[]
  scope: string
  subject: string
}

const command = localCommand(
  'bun run link',
  'Prints a link that signs you in once, within an hour, at the service that `bun run start` runs.',
)
  .option(
    '--tenant <tenant>',
    `tenant to sign in for; can be repeated (default: ${localTenants.join(', ')})`,
    addTenant,
  )
  .option('--scope <scopes>', `space-separated: ${scopes.join(' ')}`, parseScopes, localScope)
  .option('--subject <subject>', 'the user who signs in', 'local-developer')

await runLocalCommand<LinkOptions>(
  command,
  async (start, { tenant: tenants = localTenants, scope, subject }) =>
    signInLink(start.url, await signInCode(start, { tenants, scope, subject })),
)
