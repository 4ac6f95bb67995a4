import { limits } from '../limits.ts'
import type { CallOptions, ListedObject, ObjectStore } from './object-store.ts'

export interface EachObjectOptions extends CallOptions {
  /** Key to continue after, exclusive; default: from the first key. */
  after?: string | undefined
}

/**
 * Yields every object whose key starts with `prefix`, ascending by key, from one list call per thousand keys.
 * The next page is asked for only when the last one has been consumed.
 *
 * @throws {ObjectStoreError} if a list call fails: continue after the last key that was yielded.
 */
export async function* eachObject(
  store: Pick<ObjectStore, 'list'>,
  prefix: string,
  { after, signal }: EachObjectOptions = {},
): AsyncGenerator<ListedObject> {
  let startAfter = after
  do {
    const page = await store.list({ prefix, startAfter, limit: limits.listLimitMax, signal })
    yield* page.objects
    startAfter = page.truncated ? page.objects.at(-1)?.key : undefined
  } while (startAfter !== undefined)
}
