import type { ObjectStore } from '../object-store/object-store.ts'
import { type Digest, latestTag, type VersionRef } from '../wire/names.ts'
import { versionKey } from './document-key.ts'
import { type DocumentRecord, isDeletedOrDeleting, markOf } from './document-record.ts'
import { newestVersions } from './listing/version-pages.ts'

/** Where `latest` points once a version is deleted. */
export interface Successor {
  /** `null`: nowhere. */
  digest: Digest | null
  /** Returns whether this still follows from a record that has changed since. */
  holds(record: DocumentRecord): boolean
}

/**
 * Returns the function that finds the successor of a version: the one that was acknowledged most recently among the
 * others that are there and not being deleted; if none of those that the record notes is left, the newest of a listing.
 * A version that is not the latest has none, and costs no call.
 */
export function createSuccessors(store: ObjectStore) {
  return async (ref: VersionRef, record: DocumentRecord, signal?: AbortSignal): Promise<Successor> => {
    const isLatest = (now: DocumentRecord) => now.tags[latestTag]?.digest === ref.digest
    if (!isLatest(record)) return { digest: null, holds: (now) => !isLatest(now) }
    const absent = new Set<Digest>()
    const noted = (now: DocumentRecord) =>
      now.order.findLast((digest) => digest !== ref.digest && !markOf(now, digest) && !absent.has(digest))
    for (let digest = noted(record); digest; digest = noted(record)) {
      const candidate = digest
      if (await store.head(versionKey({ ...ref, digest: candidate }), { signal })) {
        return { digest: candidate, holds: (now) => !isLatest(now) || noted(now) === candidate }
      }
      absent.add(candidate)
    }
    const isOut = (now: DocumentRecord, digest: Digest) =>
      digest === ref.digest || isDeletedOrDeleting(now, digest)
    const skip = (digest: Digest) => isOut(record, digest)
    const [newest] = await newestVersions(store, ref, { limit: 1, skip, signal })
    const digest = newest?.digest ?? null
    const holds = (now: DocumentRecord) =>
      !isLatest(now) || (noted(now) === undefined && (digest === null || !isOut(now, digest)))
    return { digest, holds }
  }
}
