import type { ObjectStore } from '../object-store/object-store.ts'
import type { Document } from '../wire/answers.ts'
import { type DocumentRef, latestTag, type VersionRef } from '../wire/names.ts'
import type { Deletions } from './deletions.ts'
import { versionDeleted } from './document-error.ts'
import { versionKey } from './document-key.ts'
import type { Accepted, Upload } from './documents.ts'
import type { Latest } from './latest.ts'
import type { Published } from './publish.ts'
import { toStoredVersion, versionExists } from './stored-version.ts'
import type { TagStore } from './tag-store.ts'

/**
 * Runs `place`, which brings the bytes of an upload to their key, and moves `latest` to them; the same for a streamed
 * upload, a completed ticket and bytes that were there before.
 *
 * @throws {DocumentError} `conflict` if the version was deleted at the same time; `latest` is repaired before.
 *   What `place` throws.
 */
export type AcceptUpload = (
  ref: DocumentRef,
  upload: Pick<Upload, 'contentType' | 'by' | 'admittedAt'>,
  place: () => Promise<Published>,
) => Promise<Accepted>

export interface AcceptUploadParts {
  store: ObjectStore
  tags: TagStore
  latest: Latest
  deletions: Deletions
}

/** Returns the function that follows every upload. */
export function createAcceptUpload({ store, tags, latest, deletions }: AcceptUploadParts): AcceptUpload {
  async function describe(version: VersionRef): Promise<Document | null> {
    const info = await store.head(versionKey(version))
    return info && { ...toStoredVersion(version, info), tags: await tags.pointingTo(version) }
  }

  return async (ref, { contentType, by, admittedAt }, place) => {
    const deletedMeanwhile = deletions.watch()
    const { digest, size, created } = await place()
    const { tenant, type, name } = ref
    const version = { tenant, type, name, digest }
    const moved = await latest.move(version, { digest, by, admittedAt })
    // Nothing but `latest` can point to a version that did not exist.
    const pointing = moved.digest === digest ? [latestTag] : []
    const createdAt = admittedAt.toISOString()
    const document = created
      ? { ...version, size, contentType, createdAt, createdBy: by, tags: pointing }
      : await describe(version)
    if (!document || (deletedMeanwhile() && !(await versionExists(store, version, digest)))) {
      await latest.repair(version, by)
      throw versionDeleted()
    }
    return { document, created }
  }
}
