import type { DocumentsClient } from '../../client/client.ts'
import type { Document, ListedName, ListedVersion, Tag } from '../../wire/answers.ts'
import { formatBytes, printJson, printLine } from '../output.ts'
import { parseDocument, parseListFilter, parseTypeFilter } from './reference.ts'

export interface RowsFlags {
  limit?: number
  json?: boolean
}

export interface NamesFlags extends RowsFlags {
  with?: 'latest' | 'tags'
}

/** What one call of the API returns at most: 1,000 rows of a listing, 100 if each costs more, 50 of versions. */
const pageLimits = { list: 1000, confirmed: 100, versions: 50 } as const

/** Prints the versions of a tenant, of a type, or of the names with the same beginning. */
export async function listDocuments(
  client: DocumentsClient,
  filter: string | undefined,
  flags: RowsFlags,
  signal: AbortSignal,
): Promise<void> {
  const limit = pageLimit(pageLimits.list, flags)
  const rows = client.list({ ...parseListFilter(filter), limit, signal })
  await printRows(rows, listedRow, flags)
}

/** Prints the types of which the tenant has documents. */
export async function listTypes(
  client: DocumentsClient,
  flags: RowsFlags,
  signal: AbortSignal,
): Promise<void> {
  const types = client.types({ limit: pageLimit(pageLimits.list, flags), signal })
  await printRows(objectsOf(types), ({ type }) => type, flags)
}

async function* objectsOf(types: AsyncIterable<string>): AsyncGenerator<{ type: string }> {
  for await (const type of types) yield { type }
}

/** Prints the documents of a type, or of the names with the same beginning, one line for each. */
export async function listNames(
  client: DocumentsClient,
  filter: string,
  flags: NamesFlags,
  signal: AbortSignal,
): Promise<void> {
  const limit = pageLimit(flags.with ? pageLimits.confirmed : pageLimits.list, flags)
  const rows = client.names({ ...parseTypeFilter(filter), include: flags.with, limit, signal })
  await printRows(rows, nameRow, flags)
}

/** Prints the documents of a type that have a tag, and where it points. */
export async function listTagged(
  client: DocumentsClient,
  { tag, filter }: { tag: string; filter: string },
  flags: RowsFlags,
  signal: AbortSignal,
): Promise<void> {
  const limit = pageLimit(pageLimits.confirmed, flags)
  const rows = client.tagged({ ...parseTypeFilter(filter), tag, limit, signal })
  await printRows(rows, (row) => `${tagColumns(row)}  ${row.type}/${row.name}`, flags)
}

/** Prints what the tenant has stored by type, as it was counted last, and its newest versions. */
export async function showUsage(
  client: DocumentsClient,
  { json }: { json?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const usage = await client.usage({ signal })
  if (json) return printJson(usage)
  const { startedAt, types, newest } = usage
  await printLine(`counted at ${startedAt}`)
  for (const { type, documents, versions, bytes } of types)
    await printLine(
      `${formatBytes(bytes).padStart(9)}  ${versions} versions of ${documents} documents  ${type}`,
    )
  if (newest.length > 0) await printLine('newest:')
  for (const version of newest) await printLine(listedRow(version))
}

/** Prints all tags of one document. */
export async function listTags(
  client: DocumentsClient,
  document: string,
  flags: RowsFlags,
  signal: AbortSignal,
): Promise<void> {
  const tags = await client.tags(parseDocument(document), { signal })
  await printRows(tags, (row) => `${tagColumns(row)}  ${row.tag}`, flags)
}

/** Prints the versions of one document, newest first, with their tags. */
export async function listVersions(
  client: DocumentsClient,
  document: string,
  flags: RowsFlags,
  signal: AbortSignal,
): Promise<void> {
  const limit = pageLimit(pageLimits.versions, flags)
  await printRows(client.versions(parseDocument(document), { limit, signal }), versionRow, flags)
}

async function printRows<Row extends object>(
  rows: AsyncIterable<Row> | Iterable<Row>,
  line: (row: Row) => string,
  { limit = Number.POSITIVE_INFINITY, json }: RowsFlags,
): Promise<void> {
  let printed = 0
  for await (const row of rows) {
    if (json) await printJson(row)
    else await printLine(line(row))
    printed += 1
    if (printed >= limit) return
  }
  if (printed === 0 && !json) process.stderr.write('nothing there\n')
}

function pageLimit(most: number, { limit = most }: RowsFlags): number {
  return Math.min(most, limit)
}

/** Columns of fixed width come first, so that rows line up although each is printed as it comes. */
function listedRow({ storedAt, size, digest, type, name }: ListedVersion): string {
  return `${storedAt}  ${formatBytes(size).padStart(9)}  ${digest}  ${type}/${name}`
}

function tagColumns({ movedAt, digest, movedBy }: Tag): string {
  return `${movedAt}  ${digest}  ${movedBy}`
}

function nameRow({ type, name, latest, tags }: ListedName): string {
  if (latest) {
    const { createdAt, size, digest } = latest
    return `${createdAt}  ${formatBytes(size).padStart(9)}  ${digest}  ${type}/${name}`
  }
  const tagged = (tags ?? []).map(({ tag, digest }) => `  ${tag}=${digest}`)
  return `${type}/${name}${tagged.join('')}`
}

function versionRow({ createdAt, size, digest, createdBy, contentType, tags }: Document): string {
  const tagged = tags.length > 0 ? `  [${tags.join(' ')}]` : ''
  return `${createdAt}  ${formatBytes(size).padStart(9)}  ${digest}  ${createdBy}  ${contentType}${tagged}`
}
