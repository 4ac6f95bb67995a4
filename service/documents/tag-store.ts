import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { limits } from '../limits.ts'
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

/** Tags as objects: read, compare-and-set, remove. Knows nothing of what a tag points to. */
export interface TagStore {
  read(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<StoredTag | null>
  /** @returns `null` if `condition` does not hold. */
  write(
    ref: DocumentRef,
    tag: string,
    record: TagRecord,
    condition?: PutOptions['condition'],
    signal?: AbortSignal,
  ): Promise<StoredTag | null>
  remove(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<void>
  /** All tags of a document, ascending: one list call per thousand and a read each. */
  readAll(ref: DocumentRef, signal?: AbortSignal): Promise<StoredTag[]>
}

export function createTagStore(store: ObjectStore): TagStore {
  async function read(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<StoredTag | null> {
    const object = await store.get(tagKey(ref, tag), { signal })
    if (!object) return null
    if (object.size > limits.tagBytesMax) {
      await object.body.cancel()
      throw unreadable(tag)
    }
    return { tag, etag: object.etag, ...parseRecord(await new Response(object.body).text(), tag) }
  }

  return {
    read,

    async write(ref, tag, record, condition, signal) {
      const bytes = new TextEncoder().encode(JSON.stringify(record))
      const stored = await store.put(tagKey(ref, tag), bytes, {
        size: bytes.byteLength,
        contentType: 'application/json',
        condition,
        signal,
      })
      return stored && { tag, etag: stored.etag, ...record }
    },

    remove: (ref, tag, signal) => store.delete(tagKey(ref, tag), { signal }),

    async readAll(ref, signal) {
      const prefix = tagsPrefix(ref)
      const names: string[] = []
      let startAfter: string | undefined
      do {
        const page = await store.list({ prefix, startAfter, limit: limits.listLimitMax, signal })
        names.push(...page.objects.map(({ key }) => lastSegment(key)))
        startAfter = page.truncated ? page.objects.at(-1)?.key : undefined
      } while (startAfter !== undefined)
      const tags = await inParallel(names, limits.callsPerRequestMax, (tag) => read(ref, tag, signal))
      // One that was removed since the listing is none.
      return tags.filter((tag) => tag !== null)
    },
  }
}

function parseRecord(text: string, tag: string): TagRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw unreadable(tag)
  }
  if (!Value.Check(TagRecord, value)) throw unreadable(tag)
  return value
}

function unreadable(tag: string): DocumentError {
  return new DocumentError(
    'integrity_violated',
    `The stored tag "${tag}" is damaged. Move it again to repair it.`,
  )
}
