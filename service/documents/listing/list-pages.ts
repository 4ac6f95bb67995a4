import { limits } from '../../limits.ts'
import { type ListedObject, type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import { DocumentError } from '../document-error.ts'
import type { Cursors } from './cursor.ts'

/** Where a listing continues, as its cursor keeps it. */
export interface ListPlace {
  /** The last key, or folder, that was listed, without the prefix of the listing. */
  after: string
  /** The store's token of the next page; empty where no token leads there. */
  token: string
  /** When the store gave the token, in milliseconds since 1970. */
  givenAt: number
}

/** Returns the place that a cursor of this list holds, `null` without a cursor. @throws {DocumentError} `cursor_invalid` */
export function openPlace(
  cursors: Cursors,
  scope: readonly string[],
  cursor: string | undefined,
): ListPlace | null {
  return cursor ? JSON.parse(cursors.open(scope, cursor)) : null
}

/** Returns the cursor of a place in this list, `null` for none. */
export function sealPlace(
  cursors: Cursors,
  scope: readonly string[],
  place: ListPlace | null,
): string | null {
  return place && cursors.seal(scope, JSON.stringify(place))
}

export interface PrefixPageOptions {
  prefix: string
  limit: number
  /** `null` for the first page. */
  from: ListPlace | null
  signal?: AbortSignal | undefined
}

export interface ListPageOptions extends PrefixPageOptions {
  /** A listing can begin after any key, as the probe saw it. */
  startAfterExact: boolean
}

/** One page, and the place to continue from: `null` if this is the last one. */
export interface RowsPage<Row> {
  rows: Row[]
  next: ListPlace | null
}

/**
 * Reads one page of a listing, for one call to the store. Where a listing cannot begin after a key, the last page, and
 * one whose token is too old to be trusted, cost a call for each thousand keys before them.
 *
 * @throws {DocumentError} `cursor_invalid` if the place is gone: the key was deleted, and the token is old.
 */
export function readListPage(
  store: Pick<ObjectStore, 'list'>,
  options: ListPageOptions,
): Promise<RowsPage<ListedObject>> {
  const listing: Listing<ListedObject> = {
    async list(begin) {
      const { objects, next } = await store.list({ ...begin, signal: options.signal })
      return { rows: objects, next }
    },
    keyOf: ({ key }) => key,
    mayHideMore: isFolderMarker,
  }
  return readPage(listing, options)
}

/**
 * Reads one page of the folders below a prefix, each with its slash, as {@link readListPage} reads one of keys. No
 * listing of folders begins after one: the probe has asked that of keys alone.
 *
 * @throws {DocumentError} `cursor_invalid`
 */
export function readPrefixPage(
  store: Pick<ObjectStore, 'listPrefixes'>,
  options: PrefixPageOptions,
): Promise<RowsPage<string>> {
  const listing: Listing<string> = {
    async list(begin) {
      const { prefixes, next } = await store.listPrefixes({ ...begin, signal: options.signal })
      return { rows: prefixes, next }
    },
    keyOf: (prefix) => prefix,
    mayHideMore: () => false,
  }
  return readPage(listing, { ...options, startAfterExact: false })
}

/** A listing of rows of one kind. */
interface Listing<Row> {
  /** Makes one call to the store. */
  list(begin: { prefix: string; limit: number; token?: string; startAfter?: string }): Promise<StorePage<Row>>
  keyOf(row: Row): string
  /** Returns whether more may follow a full page that ends with this key, although the store says that it is the last. */
  mayHideMore(key: string): boolean
}

/** `next` is the store's token; it is empty where more follows and no token leads there. */
interface StorePage<Row> {
  rows: Row[]
  next: string | null
}

async function readPage<Row>(listing: Listing<Row>, options: ListPageOptions): Promise<RowsPage<Row>> {
  const { rows, next: said } = await pageFrom(listing, options)
  const last = rows.at(-1)
  if (last === undefined) return { rows, next: null }
  const lastKey = listing.keyOf(last)
  const next = said ?? (rows.length >= options.limit && listing.mayHideMore(lastKey) ? '' : null)
  if (next === null) return { rows, next: null }
  const after = lastKey.slice(options.prefix.length)
  return { rows, next: { after, token: options.startAfterExact ? '' : next, givenAt: Date.now() } }
}

/**
 * Where the last key of a full page is one, the page may not be the last, whatever the store says: asked for one key,
 * MinIO takes a marker that is the prefix itself for all that there is, and SeaweedFS takes any for the end (measured).
 */
function isFolderMarker(key: string): boolean {
  return key.endsWith('/')
}

async function pageFrom<Row>(
  listing: Listing<Row>,
  { from, startAfterExact, prefix, limit }: ListPageOptions,
): Promise<StorePage<Row>> {
  if (from === null) return listing.list({ prefix, limit })
  const key = prefix + from.after
  if (startAfterExact) return listing.list({ prefix, limit, startAfter: key })
  const isFresh = Date.now() - from.givenAt < limits.listTokenSecondsMax * 1000
  const { token } = from
  const page = isFresh && token !== '' ? await pageByToken(listing, { prefix, limit, token }) : null
  if (page !== null && page.next !== null) return page
  // The store may have forgotten a new token too, by a restart: an end is confirmed by a listing from the start.
  const found = (await pageBehind(listing, { key, prefix, limit })) ?? page
  if (found === null) throw placeGone()
  return found
}

/** Returns `null` for a token that the store refuses. */
async function pageByToken<Row>(
  { list }: Listing<Row>,
  begin: { prefix: string; limit: number; token: string },
): Promise<StorePage<Row> | null> {
  try {
    return await list(begin)
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code === 'rejected') return null
    throw error
  }
}

/** Reads from the start up to the key, and returns at most `limit` rows of what follows; `null` without the key. */
async function pageBehind<Row>(
  { list, keyOf }: Listing<Row>,
  { key, prefix, limit }: { key: string; prefix: string; limit: number },
): Promise<StorePage<Row> | null> {
  const all = { prefix, limit: limits.listLimitMax }
  for (let page = await list(all); ; page = await list({ ...all, token: page.next })) {
    const at = page.rows.findIndex((row) => keyOf(row) === key)
    if (at >= 0) {
      const behind = page.rows.slice(at + 1)
      if (behind.length > limit) return { rows: behind.slice(0, limit), next: '' }
      if (behind.length > 0 || page.next === null) return { rows: behind, next: page.next }
      return list({ prefix, limit, token: page.next })
    }
    if (page.next === null) return null
  }
}

function placeGone(): DocumentError {
  return new DocumentError(
    'cursor_invalid',
    'The document after which this page begins has been deleted. List again from the first page.',
  )
}
