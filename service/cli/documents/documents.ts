import { type Command, Option } from 'commander'
import type { DocumentsClient } from '../../client/client.ts'
import { createCommand, exitCodes, runCommand, setAction } from '../command.ts'
import { integerIn } from '../values.ts'
import { type ArchiveFlags, archiveVersions } from './archive.ts'
import { type ConnectionFlags, connect, withConnection } from './connection.ts'
import { type GetFlags, getDocument, signUrl, type UrlFlags } from './get.ts'
import { type PutFlags, putDocument } from './put.ts'
import { type RemoveFlags, removeVersions } from './remove.ts'
import {
  listDocuments,
  listNames,
  listTagged,
  listTags,
  listTypes,
  listVersions,
  type NamesFlags,
  type RowsFlags,
  showUsage,
} from './rows.ts'
import { type SyncFlags, syncFolder } from './sync.ts'
import { type TagFlags, tagDocument } from './tags.ts'
import { type WatchFlags, watchDocument } from './watch.ts'

const parseRows = integerIn(1, 999_999_999, 'a number of rows')
const parseSeconds = integerIn(1, 999_999_999, 'a number of seconds')

const program = createCommand(
  'bun run documents',
  'Stores and fetches versioned documents. Checks every byte against its SHA-256.',
).addHelpText(
  'after',
  `
Examples:
  git archive HEAD | bun run documents put - deployment-bundles/orders-api.tar --tenant acme
  bun run documents list deployment-bundles/orders --tenant acme
  bun run documents get deployment-bundles/orders-api.tar -o orders-api.tar --tenant acme
  bun run documents archive deployment-bundles/orders-api.tar definitions/orders.json@v1 -o release.tar --tenant acme
  curl -o orders-api.tar "$(bun run --silent documents url deployment-bundles/orders-api.tar --tenant acme)"
  bun run documents tag deployment-bundles/orders-api.tar production --tenant acme
  bun run documents tagged production deployment-bundles --tenant acme
  bun run documents rm deployment-bundles/orders-api.tar@sha256:<64 hex digits> --yes --tenant acme

Which service: by default the one that "bun run start" runs on this machine, with a token made for the call. For
another one, set DOCUMENTS_URL (or --url) and DOCUMENTS_TOKEN or DOCUMENTS_TOKEN_FILE. DOCUMENTS_TENANT stands for
--tenant. With --json, standard output is one JSON object per line.`,
)

setRun<PutFlags>(
  addCommand('put <file> [document]', 'upload a file, or standard input for "-", as <type>/<name>')
    .option('--type <type>', 'document type, instead of <type>/<name>')
    .option('--name <name>', "document name (default: the file's)")
    .option('--content-type <type>', "media type (default: by the file's extension)")
    .addOption(
      new Option('--via <way>', 'directly to the store with a ticket, through the service, or whichever fits')
        .choices(['auto', 'ticket', 'service'])
        .default('auto'),
    )
    .option('--if-absent', 'only if the document has no version yet')
    .option('--if-latest <digest>', 'only if this version is the latest'),
  (client, [file = '', document], flags, signal) => putDocument(client, { file, document }, flags, signal),
)

setRun<GetFlags>(
  addCommand('get <version>', 'download <type>/<name>[@tag|@sha256:…]; without a tag, latest')
    .option(
      '-o, --output <file>',
      'file to write; "-" is standard output (default: the name of the document)',
    )
    .option('--force', 'replace the file if it exists')
    .option('--direct', 'download directly from the store if it can be reached'),
  (client, [version = ''], flags, signal) => getDocument(client, version, flags, signal),
)

setRun<ArchiveFlags>(
  addCommand(
    'archive [version...]',
    'download several <type>/<name>[@tag|@sha256:…] as one tar; without a tag, latest',
  )
    .option('-o, --output <file>', 'file to write; "-" is standard output (default: documents.tar)')
    .option('--link', 'print a link that downloads the archive once instead')
    .option('--from <file>', 'read more of them from this file, one a line; "-" is standard input')
    .option('--force', 'replace the file if it exists')
    .addHelpText(
      'after',
      '\nA link is a credential: until it is used or five minutes have passed, anyone who has it can download the archive.',
    ),
  archiveVersions,
)

setRun<UrlFlags>(
  addCommand(
    'url <version>',
    'print a URL that downloads <type>/<name>[@tag|@sha256:…] directly from the store',
  )
    .option(
      '--expires <seconds>',
      "how long the URL works (default and maximum: the service's)",
      parseSeconds,
    )
    .addHelpText(
      'after',
      '\nThe URL is a credential: until it expires, anyone who has it can download the bytes.',
    ),
  (client, [version = ''], flags, signal) => signUrl(client, version, flags, signal),
)

setRun<RowsFlags>(
  addCommand('list [filter]', 'list all versions, those of <type>, or of <type>/<beginning of name>').option(
    '--limit <rows>',
    'print at most this many',
    parseRows,
  ),
  (client, [filter], flags, signal) => listDocuments(client, filter, flags, signal),
)

setRun<RowsFlags>(
  addCommand('types', 'list the types of which there are documents').option(
    '--limit <rows>',
    'print at most this many',
    parseRows,
  ),
  (client, _, flags, signal) => listTypes(client, flags, signal),
)

setRun<NamesFlags>(
  addCommand(
    'names <filter>',
    'list the documents of <type>, or of <type>/<beginning of name>, a line for each',
  )
    .addOption(new Option('--with <what>', 'what to print with each name').choices(['latest', 'tags']))
    .option('--limit <rows>', 'print at most this many', parseRows),
  (client, [filter = ''], flags, signal) => listNames(client, filter, flags, signal),
)

setRun<{ json?: boolean }>(
  addCommand('usage', 'show what the tenant has stored by type, as the service has counted it last'),
  (client, _, flags, signal) => showUsage(client, flags, signal),
)

setRun<RowsFlags>(
  addCommand(
    'tagged <tag> <filter>',
    'list the documents of <type>, or of <type>/<beginning of name>, that have a tag',
  ).option('--limit <rows>', 'print at most this many', parseRows),
  (client, [tag = '', filter = ''], flags, signal) => listTagged(client, { tag, filter }, flags, signal),
)

setRun<RowsFlags>(
  addCommand('tags <document>', 'list the tags of <type>/<name>, and where they point'),
  (client, [document = ''], flags, signal) => listTags(client, document, flags, signal),
)

setRun<RowsFlags>(
  addCommand(
    'versions <document>',
    'list the versions of <type>/<name>, newest first, with their tags',
  ).option('--limit <rows>', 'print at most this many', parseRows),
  (client, [document = ''], flags, signal) => listVersions(client, document, flags, signal),
)

setRun<SyncFlags>(
  addCommand(
    'sync <folder> <filter>',
    'make the documents of <type>, or of <type>/<beginning of name>, like the files of a folder, or the other way round',
  )
    .option('--up', 'upload files whose documents differ or are missing')
    .option('--down', 'download documents whose files differ or are missing')
    .option('--delete', 'also remove what is only on the other side: documents with all versions, or files')
    .option('--dry-run', 'only say what would be done')
    .addHelpText(
      'after',
      '\nThe name of a document is <beginning of name> and the path of its file. Files are compared by their SHA-256.',
    ),
  (client, [folder = '', filter = ''], flags, signal) =>
    syncFolder(client, { folder, filter }, flags, signal),
)

setRun<RemoveFlags>(
  addCommand('rm <version...>', 'remove one or more <type>/<name>@sha256:… permanently').option(
    '--yes',
    'do not ask for confirmation',
  ),
  removeVersions,
)

setRun<TagFlags>(
  addCommand(
    'tag <document> <tag> [digest]',
    'point a tag of <type>/<name> at a version (default: the latest)',
  )
    .option('--remove', 'remove the tag instead')
    .option('--if-match <etag>', 'only if the tag has not moved since it had this ETag')
    .option('--if-absent', 'only if there is no such tag yet'),
  (client, [document = '', tag = '', digest], flags, signal) =>
    tagDocument(client, { document, tag, digest }, flags, signal),
)

setRun<WatchFlags>(
  addCommand('watch <document>', 'follow a tag of <type>/<name>, until it is interrupted')
    .requiredOption('--tag <tag>', 'which tag')
    .option('--exec <command>', 'run this by the shell for each move, again if it fails')
    .option('--state <file>', 'keep the last move in this file, and continue from it')
    .addHelpText(
      'after',
      `
The command finds DOCUMENT_TENANT, DOCUMENT_TYPE, DOCUMENT_NAME, DOCUMENT_TAG, DOCUMENT_DIGEST, DOCUMENT_MOVED_AT and
DOCUMENT_MOVED_BY in its environment. It runs at least once for the last move, and may run again for the same one, so it
should look at what is there already. Without --state, it runs first for the tag as it is.`,
    ),
  (client, [document = ''], flags, signal) => watchDocument(client, document, flags, signal),
)

await runCommand(program)

function addCommand(usage: string, description: string): Command {
  return withConnection(program.command(usage).description(description).option('--json', 'for machines'))
}

function setRun<Flags>(
  command: Command,
  run: (client: DocumentsClient, args: readonly string[], flags: Flags, signal: AbortSignal) => Promise<void>,
): void {
  setAction<Flags & ConnectionFlags>(command, async (flags, { args, signal }) => {
    const { DOCUMENTS_TOKEN, DOCUMENTS_TOKEN_FILE } = Bun.env
    await run(await connect(flags, { DOCUMENTS_TOKEN, DOCUMENTS_TOKEN_FILE }), args, flags, signal)
    return exitCodes.done
  })
}
