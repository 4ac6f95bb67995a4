import type { Document, ListedName, ListedVersion, Tag } from '../wire/answers.ts'
import { documentFrom, jsonMembers, listedFrom, listedTagFrom, type Members, nameFrom } from './answers.ts'
import { type CallIds, ProtocolError } from './errors.ts'
import { checked, type DocumentName, documentPath } from './references.ts'
import type { Send } from './transport.ts'

export interface ListFilter {
  type?: string | undefined
  /** Exact name; needs `type`. */
  name?: string | undefined
  /** Beginning of the name; needs `type`. */
  namePrefix?: string | undefined
}

export interface NamesFilter {
  type: string
  /** Beginning of the name. */
  namePrefix?: string | undefined
  /** What each row has as well as its name. */
  include?: 'latest' | 'tags' | undefined
}

export interface TaggedFilter {
  type: string
  /** Not `latest`, which every document has. */
  tag: string
  /** Beginning of the name. */
  namePrefix?: string | undefined
}

export interface PageOptions {
  /** Rows of one page: 1–1000 of a listing, 1–100 with `include` or by tag, 1–50 of versions. The service has a default. */
  limit?: number | undefined
  /** `nextCursor` of the page before. */
  cursor?: string | undefined
  signal?: AbortSignal | undefined
}

export interface Page<Row> {
  rows: Row[]
  /** `null` on the last page. */
  nextCursor: string | null
  ids: CallIds
}

/** See `DocumentsClient.listPage`. */
export async function listPage(send: Send, query: ListFilter & PageOptions): Promise<Page<ListedVersion>> {
  const { type, name, namePrefix } = query
  if (type !== undefined) checked('type', type)
  if (name !== undefined) checked('name', name)
  const call = { path: '', query: { type, name, namePrefix } }
  return page(send, call, query, (members) => members.list('documents').map(listedFrom))
}

/** See `DocumentsClient.typesPage`. */
export async function typesPage(send: Send, options: PageOptions): Promise<Page<string>> {
  return page(send, { path: '/types' }, options, (members) =>
    members.list('types').map((each) => each.text('type')),
  )
}

/** See `DocumentsClient.namesPage`. */
export async function namesPage(send: Send, query: NamesFilter & PageOptions): Promise<Page<ListedName>> {
  const { namePrefix, include } = query
  const call = { path: '/names', query: { type: checked('type', query.type), namePrefix, include } }
  return page(send, call, query, (members) => members.list('names').map(nameFrom))
}

/** See `DocumentsClient.taggedPage`. */
export async function taggedPage(send: Send, query: TaggedFilter & PageOptions): Promise<Page<Tag>> {
  const { namePrefix } = query
  const filter = { type: checked('type', query.type), tag: checked('tag', query.tag), namePrefix }
  return page(send, { path: '', query: filter }, query, (members) =>
    members.list('documents').map(listedTagFrom),
  )
}

/** See `DocumentsClient.versionsPage`. */
export async function versionsPage(
  send: Send,
  ref: DocumentName,
  options: PageOptions,
): Promise<Page<Document>> {
  const call = { path: `${documentPath(ref)}/versions` }
  return page(send, call, options, (members) => members.list('versions').map(documentFrom))
}

/** Yields the rows of all pages; requests the next page when the last row of the current one was taken. */
export async function* rowsOf<Row>(
  fetchPage: (cursor: string | undefined) => Promise<Page<Row>>,
): AsyncGenerator<Row, void, undefined> {
  let cursor: string | undefined
  for (;;) {
    const { rows, nextCursor, ids } = await fetchPage(cursor)
    yield* rows
    if (nextCursor === null) return
    if (nextCursor === cursor) throw new ProtocolError('The listing gives the same cursor again.', ids)
    cursor = nextCursor
  }
}

async function page<Row>(
  send: Send,
  call: { path: string; query?: Readonly<Record<string, string | undefined>> },
  { limit, cursor, signal }: PageOptions,
  rowsFrom: (members: Members) => Row[],
): Promise<Page<Row>> {
  const answer = await send({
    method: 'GET',
    path: call.path,
    query: { ...call.query, limit, cursor },
    signal,
  })
  const members = await jsonMembers(answer)
  return {
    rows: rowsFrom(members),
    nextCursor: members.textOrNull('nextCursor'),
    ids: answer.ids,
  }
}
