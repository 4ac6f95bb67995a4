import { limits } from '../../limits.ts'
import { eachObject } from '../../object-store/each-object.ts'
import type { ListedObject, ObjectStore } from '../../object-store/object-store.ts'
import type { ListedVersion } from '../../wire/answers.ts'
import type { Digest, DocumentRef } from '../../wire/names.ts'
import { parseVersionKey, versionsPrefix } from '../document-key.ts'

/** Returns the version of a listed object, or `null` for a key that is not a version's, such as a stray upload. */
export function toListedVersion(object: ListedObject): ListedVersion | null {
  const ref = parseVersionKey(object.key)
  return ref && { ...ref, size: object.size, storedAt: object.lastModified.toISOString() }
}

/** Compares for `sort`: newest first and, at the same time, the higher digest first, so that the order is total. */
export function compareNewestFirst(a: ListedVersion, b: ListedVersion): number {
  if (a.storedAt !== b.storedAt) return a.storedAt < b.storedAt ? 1 : -1
  return a.digest < b.digest ? 1 : a.digest > b.digest ? -1 : 0
}

export interface NewestVersionsOptions {
  /** How many versions to return at most. */
  limit: number
  /** Only versions that follow this one in the order. */
  after?: ListedVersion | null
  /** Returns true for a version to leave out. */
  skip?: ((digest: Digest) => boolean) | undefined
  /** Receives, after each of them, how many versions were listed so far; what it throws ends the listing. */
  onListed?: ((versions: number) => void) | undefined
  signal?: AbortSignal | undefined
}

/**
 * Returns the newest versions of a document, newest first. The store lists by digest, so this reads the whole list (a
 * call per thousand versions) and keeps little more than it returns.
 */
export async function newestVersions(
  store: Pick<ObjectStore, 'list'>,
  ref: DocumentRef,
  { limit, after = null, skip, onListed, signal }: NewestVersionsOptions,
): Promise<ListedVersion[]> {
  const newest: ListedVersion[] = []
  const trim = () => newest.sort(compareNewestFirst).splice(limit)
  let listed = 0
  for await (const object of eachObject(store, versionsPrefix(ref), { signal })) {
    const version = toListedVersion(object)
    if (!version) continue
    listed += 1
    onListed?.(listed)
    if (skip?.(version.digest)) continue
    if (after && compareNewestFirst(version, after) <= 0) continue
    newest.push(version)
    // Sorting only now and then keeps both the memory and the work per version small.
    if (newest.length >= limit + limits.listLimitMax) trim()
  }
  trim()
  return newest
}
