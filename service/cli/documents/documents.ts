import { Command, InvalidArgumentError, Option } from 'commander'
import type { DocumentsClient } from '../../client/client.ts'
import { LocalFailure, reportFailure } from '../failure.ts'
import { type ConnectionFlags, connect, withConnection } from './connection.ts'
import { type GetFlags, getDocument } from './get.ts'
import { type PutFlags, putDocument } from './put.ts'
import { listDocuments, listVersions, type RowsFlags } from './rows.ts'
import { type RemoveFlags, removeVersion, type TagFlags, tagDocument } from './tags.ts'
import { signUrl, type UrlFlags } from './url.ts'

const interruption = new AbortController()
const { signal } = interruption

const program = new Command('bun run docs')
  .description('Keeps and fetches versioned documents. Every byte is checked against its SHA-256.')
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  git archive HEAD | bun run docs put - deployment-bundles/orders-api.tar --tenant acme
  bun run docs list deployment-bundles/orders --tenant acme
  bun run docs get deployment-bundles/orders-api.tar -o orders-api.tar --tenant acme
  curl -o orders-api.tar "$(bun run --silent docs url deployment-bundles/orders-api.tar --tenant acme)"
  bun run docs tag deployment-bundles/orders-api.tar production --tenant acme
  bun run docs rm deployment-bundles/orders-api.tar@sha256:<64 hex digits> --yes --tenant acme

Which service: the one that "bun run start" runs on this machine, with a token made for the call. Another one:
DOCUMENTS_URL (or --url) with DOCUMENTS_TOKEN or DOCUMENTS_TOKEN_FILE. DOCUMENTS_TENANT stands for --tenant.

With --json, standard output is one JSON object per line. Exit codes: 0 done, 1 failed, 2 wrong usage.`,
  )

command('put <file> [document]', 'upload a file, or standard input for "-", as <type>/<name>')
  .option('--type <type>', 'document type, instead of <type>/<name>')
  .option('--name <name>', "document name (default: the file's)")
  .option('--content-type <type>', "media type (default: by the file's ending)")
  .addOption(
    new Option('--via <way>', 'straight to the store with a ticket, through the service, or as it fits')
      .choices(['auto', 'ticket', 'service'])
      .default('auto'),
  )
  .action((file: string, document: string | undefined, flags: PutFlags & ConnectionFlags) =>
    run(flags, (client) => putDocument(client, file, document, flags, signal)),
  )

command('get <version>', 'download <type>/<name>[@tag|@sha256:…]; without a tag, latest')
  .option('-o, --output <file>', 'where to; "-" is standard output (default: the name of the document)')
  .option('--force', 'replace the file if it is there')
  .option('--direct', 'straight from the store where it can be reached')
  .action((version: string, flags: GetFlags & ConnectionFlags) =>
    run(flags, (client) => getDocument(client, version, flags, signal)),
  )

command('url <version>', 'print a URL that downloads <type>/<name>[@tag|@sha256:…] straight from the store')
  .option('--expires <seconds>', "how long it works (default and maximum: the service's)", parseSeconds)
  .addHelpText('after', '\nThe URL is a credential: until it expires, whoever has it can download the bytes.')
  .action((version: string, flags: UrlFlags & ConnectionFlags) =>
    run(flags, (client) => signUrl(client, version, flags, signal)),
  )

command('list [filter]', 'list all versions, those of <type>, or of <type>/<beginning of name>')
  .option('--limit <rows>', 'at most this many', parseRows)
  .action((filter: string | undefined, flags: RowsFlags & ConnectionFlags) =>
    run(flags, (client) => listDocuments(client, filter, flags, signal)),
  )

command('versions <document>', 'list the versions of <type>/<name>, newest first, with their tags')
  .option('--limit <rows>', 'at most this many', parseRows)
  .action((document: string, flags: RowsFlags & ConnectionFlags) =>
    run(flags, (client) => listVersions(client, document, flags, signal)),
  )

command('rm <version>', 'remove <type>/<name>@sha256:… for good')
  .option('--yes', 'do not ask')
  .action((version: string, flags: RemoveFlags & ConnectionFlags) =>
    run(flags, (client) => removeVersion(client, version, flags, signal)),
  )

command('tag <document> <tag> [digest]', 'point a tag of <type>/<name> at a version (default: the latest)')
  .option('--remove', 'remove the tag instead')
  .option('--if-match <etag>', 'only if the tag has not moved since it had this ETag')
  .action((document: string, tag: string, digest: string | undefined, flags: TagFlags & ConnectionFlags) =>
    run(flags, (client) => tagDocument(client, document, tag, digest, flags, signal)),
  )

function command(usage: string, description: string): Command {
  return withConnection(program.command(usage).description(description).option('--json', 'for machines'))
}

async function run(
  flags: ConnectionFlags,
  action: (client: DocumentsClient) => Promise<void>,
): Promise<void> {
  const { DOCUMENTS_TOKEN, DOCUMENTS_TOKEN_FILE } = Bun.env
  await action(await connect(flags, { DOCUMENTS_TOKEN, DOCUMENTS_TOKEN_FILE }))
}

function parseRows(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a number of rows, from 1.')
}

function parseSeconds(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a number of seconds, from 1.')
}

/** Aborted, a transfer still cleans up after itself; a second signal ends the process at once. */
function interruptBy(name: 'SIGINT' | 'SIGTERM'): void {
  process.once(name, () => interruption.abort(new LocalFailure(`interrupted by ${name}`)))
}

interruptBy('SIGINT')
interruptBy('SIGTERM')
process.exitCode = await program.parseAsync().then(() => 0, reportFailure)
