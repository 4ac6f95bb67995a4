import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import { latestTag, type VersionRef } from '../wire/names.ts'
import type { Deletions } from './deletions.ts'
import { DocumentError, versionNotFound } from './document-error.ts'
import { versionKey } from './document-key.ts'
import type { Latest } from './latest.ts'
import type { TagStore } from './tag-store.ts'

export interface RemovalOptions {
  /** Subject that the move of `latest` names. */
  by: string
  /** Also refuses a version that only `latest` points to; default: `latest` moves on to another version. */
  keepLatest?: boolean
  signal?: AbortSignal | undefined
}

/** Removes a version permanently; see `deleteVersion` of {@link Documents}, whose errors it has. */
export type RemoveVersion = (ref: VersionRef, options: RemovalOptions) => Promise<void>

/** Returns the function that removes versions from `store`. */
export function createVersionRemoval(
  store: ObjectStore,
  { tags, latest, deletions }: { tags: TagStore; latest: Latest; deletions: Deletions },
): RemoveVersion {
  return async (ref, { by, keepLatest = false, signal }) => {
    const info = await store.head(versionKey(ref), { signal })
    if (!info) throw versionNotFound()
    if (isLocked(info)) throw versionLocked(info.locked)
    const pointing = await tags.pointingTo(ref, signal)
    const others = keepLatest ? pointing : pointing.filter((tag) => tag !== latestTag)
    if (others.length > 0) throw versionTagged(others)
    // From here on nothing is aborted: a client that disconnects must not leave `latest` half-way.
    await deletions.run(async () => {
      if (pointing.includes(latestTag)) await latest.repair(ref, by, ref.digest)
      await store.delete(versionKey(ref))
      // An upload of the same bytes before the delete may have moved `latest` back to them since.
      await latest.repair(ref, by)
    })
  }
}

/**
 * Returns whether the store keeps an object (object lock). In a bucket with versions, a delete of a locked object
 * would succeed and only hide it. A deletion promises that the bytes are gone, so it is refused instead.
 */
export function isLocked({ locked }: ObjectInfo): boolean {
  return locked !== undefined && (locked === 'forever' || locked.getTime() > Date.now())
}

function versionLocked(locked: ObjectInfo['locked']): DocumentError {
  const until = locked instanceof Date ? locked.toISOString() : 'the legal hold is lifted'
  return new DocumentError('version_locked', `The object store keeps this version until ${until}.`)
}

function versionTagged(tags: string[]): DocumentError {
  return new DocumentError(
    'version_tagged',
    `The version is tagged ${tags.map((tag) => `"${tag}"`).join(', ')}. Move or remove these tags first.`,
    { tags },
  )
}
