import type { ObjectStore } from '../object-store/object-store.ts'
import type { Document } from '../wire/answers.ts'
import { type DocumentRef, latestTag, type VersionRef } from '../wire/names.ts'
import type { DocumentError } from './document-error.ts'
import { versionKey } from './document-key.ts'
import type { Latest } from './latest.ts'
import type { Published } from './publish.ts'
import type { TagStore } from './tag-store.ts'
import { toStoredVersion, versionExists } from './version-index.ts'
import { versionDeleted } from './version-writer.ts'

/** An upload whose bytes are in place, however they came there. */
export interface Accepted extends Published {
  contentType: string
  by: string
  admittedAt: Date
}

/** What follows the bytes, for a streamed upload and for a completed ticket alike: `latest`, and the answer. */
export interface Acceptance {
  /** @throws {DocumentError} `conflict` if the version was deleted in between */
  accept(ref: DocumentRef, upload: Accepted): Promise<Document>
  /**
   * For an upload beside which versions were deleted: `latest` may have moved to it after it was gone.
   *
   * @throws {DocumentError} `conflict` if the version is not there any more; `latest` is put right before.
   */
  refuseDeleted(version: VersionRef, by: string): Promise<void>
  /** Names of the tags that point to a version, ascending. */
  tagsOf(ref: VersionRef, signal?: AbortSignal): Promise<string[]>
}

export function createAcceptance(store: ObjectStore, tags: TagStore, latest: Latest): Acceptance {
  async function tagsOf(ref: VersionRef, signal?: AbortSignal): Promise<string[]> {
    const all = await tags.readAll(ref, signal)
    return all.filter(({ digest }) => digest === ref.digest).map(({ tag }) => tag)
  }

  async function deleted(version: VersionRef, by: string): Promise<DocumentError> {
    await latest.repair(version, by)
    return versionDeleted()
  }

  return {
    tagsOf,

    async refuseDeleted(version, by) {
      if (!(await versionExists(store, version, version.digest))) throw await deleted(version, by)
    },

    async accept(ref, { digest, size, created, contentType, by, admittedAt }) {
      const { tenant, type, name } = ref
      const version = { tenant, type, name, digest }
      const moved = await latest.move(version, { digest, by, admittedAt })
      if (created) {
        const createdAt = admittedAt.toISOString()
        // Nothing else can point to a version that did not exist.
        const names = moved.digest === digest ? [latestTag] : []
        return { ...version, size, contentType, createdAt, createdBy: by, tags: names }
      }
      const info = await store.head(versionKey(version))
      if (!info) throw await deleted(version, by)
      return { ...toStoredVersion(version, info), tags: await tagsOf(version) }
    },
  }
}
