import type { DocumentsClient } from '../../client/client.ts'
import type { Document, ListedVersion } from '../../wire/answers.ts'
import { formatBytes, printJson, printLine } from '../output.ts'
import { parseDocument, parseListFilter } from './reference.ts'

export interface RowsFlags {
  limit?: number
  json?: boolean
}

/** What one call of the API returns at most: 1,000 rows of a listing, 50 of versions. */
const pageLimits = { list: 1000, versions: 50 } as const

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
  rows: AsyncGenerator<Row>,
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

function versionRow({ createdAt, size, digest, createdBy, contentType, tags }: Document): string {
  const tagged = tags.length > 0 ? `  [${tags.join(' ')}]` : ''
  return `${createdAt}  ${formatBytes(size).padStart(9)}  ${digest}  ${createdBy}  ${contentType}${tagged}`
}
