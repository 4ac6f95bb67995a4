import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { limits } from '../limits.ts'
import { eachObject } from '../object-store/each-object.ts'
import type { CallOptions, ObjectStore } from '../object-store/object-store.ts'
import { type Digest, type DocumentRef, digestPattern, type VersionRef } from '../wire/names.ts'
import { DocumentError } from './document-error.ts'
import { lastSegment, tagKey, tagsPrefix } from './document-key.ts'
import { inParallel } from './in-order.ts'

/** What is stored under a tag's key. */
export const TagRecord = Type.Object({
  digest: Type.Unsafe<Digest>(Type.String({ pattern: digestPattern })),
  movedAt: Type.String(),
  movedBy: Type.String(),
  /** Orders the moves of `latest`: when the upload that caused this one was admitted. */
  admittedAt: Type.String(),
})
export type TagRecord = Static<typeof TagRecord>

export interface StoredTag extends TagRecord {
  tag: string
  etag: string
}

/** A tag as it is in the store; `record` is `null` if its text is not a tag's. */
export interface FoundTag {
  tag: string
  etag: string
  record: TagRecord | null
}

export interface WriteOptions extends CallOptions {
  /** Writes only if the tag is still this one, `null` for none (compare-and-set); default: in any case. */
  over?: FoundTag | null | undefined
}

/** Reads, compares-and-sets and removes tags as objects. Knows nothing of what a tag points to. */
export interface TagStore {
  /** Returns the tag, or `null` if there is none. @throws {DocumentError} `integrity_violated` for a damaged tag */
  read(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<StoredTag | null>
  /** As `read`, but also returns a damaged tag: to move or to remove it repairs it. */
  find(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<FoundTag | null>
  /** Writes a tag. @returns `null` if the tag is no longer `over`. */
  write(ref: DocumentRef, tag: string, record: TagRecord, options?: WriteOptions): Promise<StoredTag | null>
  /** Removes a tag; absent is success. */
  remove(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<void>
  /**
   * Returns all tags of a document, ascending: one list call per thousand and a read each. A damaged tag points
   * nowhere and is left out.
   */
  readAll(ref: DocumentRef, signal?: AbortSignal): Promise<StoredTag[]>
  /** Returns the names of the tags that point to a version, ascending. */
  pointingTo(ref: VersionRef, signal?: AbortSignal): Promise<string[]>
  /** As `readAll`, with the damaged tags: for callers that must not overlook them. */
  findAll(ref: DocumentRef, signal?: AbortSignal): Promise<FoundTag[]>
}

/** Returns the tags that `store` keeps. */
export function createTagStore(store: ObjectStore): TagStore {
  async function find(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<FoundTag | null> {
    const object = await store.get(tagKey(ref, tag), { signal })
    if (!object) return null
    const { etag } = object
    if (object.size <= limits.tagBytesMax) {
      return { tag, etag, record: parseRecord(await new Response(object.body).text()) }
    }
    await object.body.cancel()
    return { tag, etag, record: null }
  }

  async function findAll(ref: DocumentRef, signal?: AbortSignal): Promise<FoundTag[]> {
    const names: string[] = []
    for await (const { key } of eachObject(store, tagsPrefix(ref), { signal })) names.push(lastSegment(key))
    const all = await inParallel(names, limits.callsPerRequestMax, (tag) => find(ref, tag, signal))
    // `null`: removed since the listing.
    return all.filter((tag) => tag !== null)
  }

  async function readAll(ref: DocumentRef, signal?: AbortSignal): Promise<StoredTag[]> {
    const all = await findAll(ref, signal)
    return all.flatMap(({ tag, etag, record }) => (record ? [toStored(tag, etag, record)] : []))
  }

  return {
    find,
    findAll,

    async read(ref, tag, signal) {
      const found = await find(ref, tag, signal)
      if (!found) return null
      if (!found.record) throw damaged(tag)
      return toStored(tag, found.etag, found.record)
    },

    async write(ref, tag, record, { over, signal } = {}) {
      const condition =
        over === undefined ? undefined : over ? { etag: over.etag } : ({ absent: true } as const)
      const bytes = new TextEncoder().encode(JSON.stringify(record))
      const stored = await store.put(tagKey(ref, tag), bytes, {
        size: bytes.byteLength,
        contentType: 'application/json',
        // Distinguishes moves of a tag to the same version within the same millisecond.
        metadata: { move: crypto.randomUUID() },
        condition,
        signal,
      })
      return stored && toStored(tag, stored.etag, record)
    },

    remove: (ref, tag, signal) => store.delete(tagKey(ref, tag), { signal }),

    readAll,

    async pointingTo(ref, signal) {
      const all = await readAll(ref, signal)
      return all.filter(({ digest }) => digest === ref.digest).map(({ tag }) => tag)
    },
  }
}

function toStored(tag: string, etag: string, record: TagRecord): StoredTag {
  return { tag, etag, ...record }
}

function parseRecord(text: string): TagRecord | null {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(TagRecord, value) ? value : null
  } catch {
    return null
  }
}

function damaged(tag: string): DocumentError {
  return new DocumentError(
    'integrity_violated',
    `The stored tag "${tag}" is damaged. Move it again to repair it.`,
  )
}
