import { limits } from '../limits.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import type { Tag } from '../wire/answers.ts'
import { type Digest, type DocumentRef, latestTag } from '../wire/names.ts'
import { contended, DocumentError, versionNotFound } from './document-error.ts'
import { versionKey } from './document-key.ts'
import {
  type DocumentRecord,
  isDeletedOrDeleting,
  markOf,
  newChangeId,
  type TagEntry,
  tagOf,
  withoutTag,
  withTag,
} from './document-record.ts'
import type { Documents } from './documents.ts'
import { newestVersions } from './listing/version-pages.ts'
import type { Records } from './record-store.ts'
import { toStoredVersion } from './stored-version.ts'
import { meets, type TagCondition } from './tag-condition.ts'
import type { TagWatches } from './tag-watches.ts'
import type { VersionRemoval } from './version-removal.ts'

export interface TagParts {
  store: ObjectStore
  records: Records
  removal: Pick<VersionRemoval, 'awaitEnd'>
  watches: Pick<TagWatches, 'next'>
}

/** Returns the calls that read, move and remove tags (ARCHITECTURE.md, "How a tag move runs"). */
export function createTagMoves({
  store,
  records,
  removal,
  watches,
}: TagParts): Pick<Documents, 'tags' | 'getTag' | 'watchTag' | 'putTag' | 'deleteTag' | 'byTag'> {
  /** @throws {DocumentError} `document_not_found` */
  async function find(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<TagEntry> {
    const record = await records.read(ref, signal)
    const entry =
      tagOf(record, tag) ?? (tag === latestTag ? await adoptLatest(ref, record, signal) : undefined)
    if (!entry) throw versionNotFound()
    return entry
  }

  /**
   * A process that ended between an upload's bytes and its record leaves a version that was never acknowledged. If it is all
   * that the document has, it becomes the latest, so that a document with versions always has one.
   */
  async function adoptLatest(
    ref: DocumentRef,
    record: DocumentRecord,
    signal: AbortSignal | undefined,
  ): Promise<TagEntry | undefined> {
    const since = records.moment()
    const skip = (digest: Digest) => isDeletedOrDeleting(record, digest)
    const [newest] = await newestVersions(store, ref, { limit: 1, skip, signal })
    const info = newest && (await store.head(versionKey(newest), { signal }))
    if (!info) return undefined
    const { digest, createdBy } = toStoredVersion(newest, info)
    return records.change<TagEntry | undefined>(ref, (state) => {
      const found = state.record.tags[latestTag]
      if (found || state.since > since || isDeletedOrDeleting(state.record, digest)) return { result: found }
      const to = withTag(state.record, latestTag, { digest, by: createdBy })
      return { to, result: to.tags[latestTag] }
    })
  }

  return {
    async tags(ref, signal) {
      const record = await records.read(ref, signal)
      const adopted = tagOf(record, latestTag) ? undefined : await adoptLatest(ref, record, signal)
      const entries = Object.entries(record.tags)
      if (adopted) entries.push([latestTag, adopted])
      if (entries.length === 0) throw versionNotFound()
      return entries.map(([tag, entry]) => toTag(ref, tag, entry)).sort(byTagName)
    },

    async getTag(ref, tag, signal) {
      return toTag(ref, tag, await find(ref, tag, signal))
    },

    async watchTag(ref, tag, watch) {
      const { entry } = await watches.next(ref, tag, watch)
      if (!entry) throw versionNotFound()
      return toTag(ref, tag, entry)
    },

    async byTag(ref, tag, read, { discard = () => {}, signal } = {}) {
      const { tenant, type, name } = ref
      const readOf = ({ digest }: TagEntry) => read({ tenant, type, name, digest })
      const last = tagOf(records.lastKnown(ref), tag)
      // The same move of the tag: while it points to a version, no one can delete that or write it again.
      const early = last && { id: last.id, result: readOf(last) }
      // Its failure counts only if it is awaited below.
      early?.result.catch(() => {})
      const drop = () => void early?.result.then(discard, () => {})
      let entry = await find(ref, tag, signal).catch((error: unknown) => {
        drop()
        throw error
      })
      const isCurrent = early?.id === entry.id
      if (!isCurrent) drop()
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await (early && isCurrent && attempt === 1 ? early.result : readOf(entry))
        } catch (error) {
          const absent = error instanceof DocumentError && error.code === 'document_not_found'
          if (!absent || attempt >= limits.recordAttemptsMax) throw error
          // The version may have been deleted since the record was read; then the tag has moved before.
          const { id } = entry
          entry = await find(ref, tag, signal)
          if (entry.id === id) throw error
        }
      }
    },

    async putTag(ref, tag, { digest, by, condition, signal }) {
      const { tenant, type, name } = ref
      const version = { tenant, type, name, digest }
      refuseUnlessMeeting(tagOf(await records.read(ref, signal), tag), condition)
      for (let attempt = 0; attempt < limits.recordAttemptsMax; attempt += 1) {
        const since = records.moment()
        if (!(await store.head(versionKey(version), { signal }))) throw versionUnknown()
        const id = newChangeId()
        const moved = await records.change<
          { tag: Tag; before: Digest | undefined } | 'deleting' | 'outdated'
        >(ref, (state) => {
          const current = tagOf(state.record, tag)
          refuseUnlessMeeting(current, condition)
          if (markOf(state.record, digest)) return { result: 'deleting' }
          if (state.since > since) return { result: 'outdated' }
          const to = withTag(state.record, tag, { digest, by, id })
          const entry = to.tags[tag] as TagEntry
          return { to, result: { tag: toTag(ref, tag, entry), before: current?.digest } }
        })
        if (typeof moved !== 'string') return moved
        if (moved === 'deleting') await removal.awaitEnd(version)
      }
      throw contended()
    },

    async deleteTag(ref, tag, { condition } = {}) {
      if (tag === latestTag) throw latestProtected()
      return records.change(ref, ({ record }) => {
        const current = tagOf(record, tag)
        refuseUnlessMeeting(current, condition)
        if (!current) throw versionNotFound()
        return { to: withoutTag(record, tag), result: { before: current.digest } }
      })
    },
  }
}

/** Returns a tag of a record as the API has it. */
export function toTag({ tenant, type, name }: DocumentRef, tag: string, entry: TagEntry): Tag {
  const { digest, movedAt, movedBy, id } = entry
  return { tenant, type, name, tag, digest, movedAt, movedBy, etag: id }
}

function byTagName({ tag: one }: Tag, { tag: other }: Tag): number {
  return one < other ? -1 : 1
}

function refuseUnlessMeeting(current: TagEntry | undefined, condition: TagCondition | undefined): void {
  if (meets(current?.id, condition)) return
  throw condition?.ifNoneMatch === '*' && current ? tagExists() : tagMoved()
}

function tagExists(): DocumentError {
  return new DocumentError('precondition_failed', 'The tag exists already.')
}

function tagMoved(): DocumentError {
  return new DocumentError(
    'precondition_failed',
    'The tag has moved in the meantime. Read it again, then decide.',
  )
}

function versionUnknown(): DocumentError {
  return new DocumentError(
    'version_unknown',
    'The tag cannot point to this version: it does not exist. Upload it first.',
  )
}

function latestProtected(): DocumentError {
  return new DocumentError(
    'tag_protected',
    '"latest" follows the uploads and cannot be removed. Move it instead.',
  )
}
