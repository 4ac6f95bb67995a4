import { scopes } from '../../authz/principal.ts'
import { addTenant, localCommand, parseScopeList, runLocalCommand } from './local-command.ts'
import { localScope, localTenants, signInCode, signInLink } from './local-sign-in-code.ts'

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
    `tenant to sign in for; repeat it for more (default: ${localTenants.join(', ')})`,
    addTenant,
  )
  .option('--scope <scopes>', `space-separated: ${scopes.join(' ')}`, parseScopeList, localScope)
  .option('--subject <subject>', 'who signs in', 'local-developer')

process.exitCode = await runLocalCommand<LinkOptions>(
  command,
  async (start, { tenant: tenants = localTenants, scope, subject }) =>
    signInLink(start.url, await signInCode(start, { tenants, scope, subject })),
)
