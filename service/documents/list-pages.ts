import { limits } from '../limits.ts'
import { type ListPage, type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'
import { DocumentError } from './document-error.ts'

/** Where a listing continues, as its cursor keeps it. */
export interface ListPlace {
  /** The last key that was listed, without the prefix of the listing. */
  after: string
  /** The store's token of the next page; empty where no token leads there. */
  token: string
  /** When the store gave the token, in milliseconds since 1970. */
  givenAt: number
}

export interface ListPageOptions {
  prefix: string
  limit: number
  /** `null` for the first page. */
  from: ListPlace | null
  /** A listing can begin after any key, as the probe saw it. */
  startAfterExact: boolean
  signal?: AbortSignal | undefined
}

type Lists = Pick<ObjectStore, 'list'>

/**
 * Reads one page of a listing, for one call to the store. Where a listing cannot begin after a key, the last page, and
 * one whose token is too old to be trusted, cost a call for each thousand keys before them.
 *
 * @returns the page; its `next` is the place to continue from.
 * @throws {DocumentError} `cursor_invalid` if the place is gone: the key was deleted, and the token is old.
 */
export async function readListPage(
  store: Lists,
  options: ListPageOptions,
): Promise<{ objects: ListPage['objects']; next: ListPlace | null }> {
  const { objects, next: said } = await pageFrom(store, options)
  const last = objects.at(-1)
  const next = said ?? (last && objects.length >= options.limit && isFolderMarker(last.key) ? '' : null)
  if (next === null || !last) return { objects, next: null }
  const after = last.key.slice(options.prefix.length)
  return { objects, next: { after, token: options.startAfterExact ? '' : next, givenAt: Date.now() } }
}

/**
 * Where the last key of a full page is one, the page may not be the last, whatever the store says: asked for one key,
 * MinIO takes a marker that is the prefix itself for all that there is, and SeaweedFS takes any for the end (measured).
 */
function isFolderMarker(key: string): boolean {
  return key.endsWith('/')
}

/** Returns the page; its `next` is empty where more follows and no token leads there. */
async function pageFrom(
  store: Lists,
  { from, startAfterExact, ...options }: ListPageOptions,
): Promise<ListPage> {
  if (from === null) return store.list(options)
  const key = options.prefix + from.after
  if (startAfterExact) return store.list({ ...options, startAfter: key })
  const isFresh = Date.now() - from.givenAt < limits.listTokenSecondsMax * 1000
  const page =
    isFresh && from.token !== '' ? await pageByToken(store, { ...options, token: from.token }) : null
  if (page !== null && page.next !== null) return page
  // The store may have forgotten a new token too, by a restart: an end is confirmed by a listing from the start.
  const found = (await pageBehind(store, key, options)) ?? page
  if (found === null) throw placeGone()
  return found
}

type PageOptions = Omit<ListPageOptions, 'from' | 'startAfterExact'>

/** Returns `null` for a token that the store refuses. */
async function pageByToken(store: Lists, options: PageOptions & { token: string }): Promise<ListPage | null> {
  try {
    return await store.list(options)
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code === 'rejected') return null
    throw error
  }
}

/** Reads from the start up to the key, and returns at most `limit` objects of what follows; `null` without the key. */
async function pageBehind(store: Lists, key: string, options: PageOptions): Promise<ListPage | null> {
  const list = (token?: string) => store.list({ ...options, token, limit: limits.listLimitMax })
  for (let page = await list(); ; page = await list(page.next)) {
    const at = page.objects.findIndex((object) => object.key === key)
    if (at >= 0) {
      const behind = page.objects.slice(at + 1)
      if (behind.length > options.limit) return { objects: behind.slice(0, options.limit), next: '' }
      if (behind.length > 0 || page.next === null) return { objects: behind, next: page.next }
      return store.list({ ...options, token: page.next })
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
