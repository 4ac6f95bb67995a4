import { limits } from '../limits.ts'
import type { CallOptions, ListedObject, ListPage, ObjectStore } from './object-store.ts'

export interface EachObjectOptions extends CallOptions {
  /** Keys per list call; default: as many as a store gives. */
  pageKeys?: number | undefined
  /** Milliseconds of a clock that never goes back; default: that of this process. */
  now?: (() => number) | undefined
}

/**
 * Yields every object whose key starts with `prefix`, in the store's order, from one list call per thousand keys. The
 * next page is asked for only when the last one has been consumed; where that took longer than a token lives, the
 * listing is read again up to its place. If all keys of the last page are gone by then, it begins again, and what is
 * still there is yielded a second time: rather that than leave out a key.
 *
 * @throws {ObjectStoreError} if a list call fails.
 */
export async function* eachObject(
  store: Pick<ObjectStore, 'list'>,
  prefix: string,
  { signal, pageKeys: limit = limits.listLimitMax, now = () => performance.now() }: EachObjectOptions = {},
): AsyncGenerator<ListedObject> {
  const list: ListCall = (token) => store.list({ prefix, token, limit, signal })
  let page = await list()
  for (;;) {
    const listedAt = now()
    yield* page.objects
    if (page.next === null) return
    const isFresh = now() - listedAt < limits.listTokenSecondsMax * 1000
    page = isFresh ? await list(page.next) : await pageBehind(list, page.objects)
  }
}

type ListCall = (token?: string) => Promise<ListPage>

/** Reads from the start up to the objects that were passed, and returns what follows them. */
async function pageBehind(list: ListCall, passed: readonly ListedObject[]): Promise<ListPage> {
  const passedKeys = new Set(passed.map(({ key }) => key))
  const isPassed = ({ key }: ListedObject) => passedKeys.has(key)
  const behind: ListedObject[] = []
  let isFound = false
  for (let page = await list(); ; page = await list(page.next ?? undefined)) {
    const first = page.objects.findIndex(isPassed)
    if (isFound || first >= 0) {
      behind.push(...page.objects.slice(isFound ? 0 : first).filter((object) => !isPassed(object)))
      isFound = true
    }
    if (page.next === null) return isFound ? { objects: behind, next: null } : list()
    if (isFound && first < 0) return { objects: behind, next: page.next }
  }
}

/**
 * Yields what follows the key `after` in a listing, which is read from its start: nothing lies behind a key that every
 * store finds in the same way. If there is no such key any more, yields the whole listing.
 *
 * @param listing begins the listing; called a second time where `after` is gone.
 * @param after default: from the first key.
 */
export async function* objectsAfter(
  listing: () => AsyncIterable<ListedObject>,
  after: string | undefined,
): AsyncGenerator<ListedObject> {
  if (after === undefined) return yield* listing()
  let isFound = false
  for await (const object of listing()) {
    if (isFound) yield object
    else isFound = object.key === after
  }
  if (!isFound) yield* listing()
}
