import { type EachObjectOptions, eachObject } from '../../object-store/each-object.ts'
import type { ListedObject, ObjectStore } from '../../object-store/object-store.ts'
import { tenantsPrefix } from '../document-key.ts'

/** One key, and what each of two stores has under it; at least one of them has something. */
export interface PairedKey {
  key: string
  source: ListedObject | null
  target: ListedObject | null
}

/**
 * Yields everything that two stores keep of tenants, ascending by key, from one list call per thousand keys and store.
 * What is in staging is not a document yet and is left out.
 *
 * @throws {ObjectStoreError} if one of them fails: continue after the last key that was yielded.
 */
export async function* pairedKeys(
  source: ObjectStore,
  target: ObjectStore,
  options: EachObjectOptions = {},
): AsyncGenerator<PairedKey> {
  const sources = eachObject(source, tenantsPrefix, options)
  const targets = eachObject(target, tenantsPrefix, options)
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
