import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import { latestTag, type VersionRef } from '../wire/names.ts'
import type { Acceptance } from './acceptance.ts'
import type { Deletions } from './deletions.ts'
import { DocumentError } from './document-error.ts'
import { versionKey } from './document-key.ts'
import type { Latest } from './latest.ts'
import { versionNotFound } from './version-reader.ts'

export interface RemovalOptions {
  /** Who is named by the move of `latest`. */
  by: string
  /** Refuse also what only `latest` points to; default: `latest` moves on to another version. */
  keepLatest?: boolean
  signal?: AbortSignal | undefined
}

/** Removes a version for good; see `deleteVersion` of {@link Documents}, whose errors it has. */
export type RemoveVersion = (ref: VersionRef, options: RemovalOptions) => Promise<void>

export function createVersionRemoval(
  store: ObjectStore,
  { acceptance, latest, deletions }: { acceptance: Acceptance; latest: Latest; deletions: Deletions },
): RemoveVersion {
  return async (ref, { by, keepLatest = false, signal }) => {
    const info = await store.head(versionKey(ref), { signal })
    if (!info) throw versionNotFound()
    if (isLocked(info)) throw versionLocked(info.locked)
    const pointing = await acceptance.tagsOf(ref, signal)
    const others = keepLatest ? pointing : pointing.filter((tag) => tag !== latestTag)
    if (others.length > 0) throw versionTagged(others)
    // From here to the end: a client that goes away must not leave `latest` half-way.
    await deletions.run(async () => {
      if (pointing.includes(latestTag)) await latest.repair(ref, by, ref.digest)
      await store.delete(versionKey(ref))
      // Whoever uploaded the same bytes before the delete may have moved `latest` back to them since.
      await latest.repair(ref, by)
    })
  }
}

/**
 * Where there are versions, a delete of what is locked would succeed and only hide it: the store keeps the bytes.
 * Promised is that they are gone, so it is refused instead.
 */
export function isLocked({ locked }: ObjectInfo): boolean {
  return locked !== undefined && (locked === 'forever' || locked.getTime() > Date.now())
}

function versionLocked(locked: ObjectInfo['locked']): DocumentError {
  const until = locked instanceof Date ? locked.toISOString() : 'somebody lifts the legal hold'
  return new DocumentError('version_locked', `The object store keeps this version until ${until}.`)
}

function versionTagged(tags: string[]): DocumentError {
  return new DocumentError(
    'version_tagged',
    `The version is tagged ${tags.map((tag) => `"${tag}"`).join(', ')}. Move or remove these tags first.`,
    { tags },
  )
}
