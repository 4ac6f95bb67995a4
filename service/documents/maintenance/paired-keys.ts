import { limits } from '../../limits.ts'
import type { ListedObject, ObjectStore } from '../../object-store/object-store.ts'
import { tenantsPrefix } from '../document-key.ts'

/** One key, and what each of two stores has under it; at least one of them has something. */
export interface PairedKey {
  key: string
  source: ListedObject | null
  target: ListedObject | null
}

export interface PairedKeysOptions {
  /** Key to continue after. */
  after?: string | undefined
  signal?: AbortSignal | undefined
}

/**
 * Everything that two stores keep of tenants, ascending by key, from one list call per thousand keys and store.
 * What lies in staging is nobody's document yet and is left out.
 *
 * @throws {ObjectStoreError} if one of them fails: continue after the last key that was yielded.
 */
export async function* pairedKeys(
  source: ObjectStore,
  target: ObjectStore,
  options: PairedKeysOptions = {},
): AsyncGenerator<PairedKey> {
  const sources = objectsOf(source, options)
  const targets = objectsOf(target, options)
  let [one, other] = await Promise.all([nextOf(sources), nextOf(targets)])
  for (;;) {
    const order = orderOf(one, other)
    if (order === null) return
    const key = (order <= 0 ? one : other)?.key ?? ''
    yield { key, source: order <= 0 ? one : null, target: order >= 0 ? other : null }
    if (order <= 0) one = await nextOf(sources)
    if (order >= 0) other = await nextOf(targets)
  }
}

async function* objectsOf(
  store: ObjectStore,
  { after, signal }: PairedKeysOptions,
): AsyncGenerator<ListedObject> {
  let startAfter = after
  let truncated = true
  while (truncated) {
    const page = await store.list({ prefix: tenantsPrefix, startAfter, limit: limits.listLimitMax, signal })
    yield* page.objects
    startAfter = page.objects.at(-1)?.key
    truncated = page.truncated
  }
}

async function nextOf(objects: AsyncGenerator<ListedObject>): Promise<ListedObject | null> {
  const next = await objects.next()
  return next.done ? null : next.value
}

/** Below zero where the source's comes first; `null` where both have ended. */
function orderOf(one: ListedObject | null, other: ListedObject | null): number | null {
  if (one === null) return other === null ? null : 1
  if (other === null) return -1
  // As stores order them: by UTF-8 bytes, which is not the order of JavaScript's own comparison.
  return Buffer.compare(Buffer.from(one.key), Buffer.from(other.key))
}
