import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { limits } from '../limits.ts'
import { eachObject } from '../object-store/each-object.ts'
import type { ObjectStore, PutOptions } from '../object-store/object-store.ts'
import { DocumentError } from './document-error.ts'
import { lastSegment, tagKey, tagsPrefix } from './document-key.ts'
import { type Digest, type DocumentRef, digestPattern } from './document-ref.ts'
import { inParallel } from './in-parallel.ts'

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

/** A tag as it lies in the store; `record` is `null` where its text is not a tag's. */
export interface FoundTag {
  etag: string
  record: TagRecord | null
}

export interface NamedTag extends FoundTag {
  tag: string
}

/** Tags as objects: read, compare-and-set, remove. Knows nothing of what a tag points to. */
export interface TagStore {
  /** @throws {DocumentError} `integrity_violated` for a damaged tag */
  read(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<StoredTag | null>
  /** As `read`, but a damaged tag is found, too: whoever moves or removes it mends it. */
  find(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<FoundTag | null>
  /** @returns `null` if `condition` does not hold. */
  write(
    ref: DocumentRef,
    tag: string,
    record: TagRecord,
    condition?: PutOptions['condition'],
    signal?: AbortSignal,
  ): Promise<StoredTag | null>
  remove(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<void>
  /**
   * All tags of a document, ascending: one list call per thousand and a read each. A damaged one points
   * nowhere and is left out.
   */
  readAll(ref: DocumentRef, signal?: AbortSignal): Promise<StoredTag[]>
  /** As `readAll`, with the damaged ones: for whoever must not take them for none. */
  findAll(ref: DocumentRef, signal?: AbortSignal): Promise<NamedTag[]>
}

export function createTagStore(store: ObjectStore): TagStore {
  async function find(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<FoundTag | null> {
    const object = await store.get(tagKey(ref, tag), { signal })
    if (!object) return null
    const { etag } = object
    if (object.size <= limits.tagBytesMax) {
      return { etag, record: parseRecord(await new Response(object.body).text()) }
    }
    await object.body.cancel()
    return { etag, record: null }
  }

  async function findAll(ref: DocumentRef, signal?: AbortSignal): Promise<NamedTag[]> {
    const names: string[] = []
    for await (const { key } of eachObject(store, tagsPrefix(ref), { signal })) names.push(lastSegment(key))
    const found = await inParallel(names, limits.callsPerRequestMax, (tag) => find(ref, tag, signal))
    // One that was removed since the listing is none.
    return found.flatMap((each, at) => (each ? [{ tag: names[at] ?? '', ...each }] : []))
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

    async write(ref, tag, record, condition, signal) {
      const bytes = new TextEncoder().encode(JSON.stringify(record))
      const stored = await store.put(tagKey(ref, tag), bytes, {
        size: bytes.byteLength,
        contentType: 'application/json',
        // Makes each move one of its own, whoever moves the tag to the same version in the same millisecond.
        metadata: { move: crypto.randomUUID() },
        condition,
        signal,
      })
      return stored && toStored(tag, stored.etag, record)
    },

    remove: (ref, tag, signal) => store.delete(tagKey(ref, tag), { signal }),

    async readAll(ref, signal) {
      const all = await findAll(ref, signal)
      return all.flatMap(({ tag, etag, record }) => (record ? [toStored(tag, etag, record)] : []))
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
