import { limits } from '../limits.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { type DocumentRef, latestTag } from '../wire/names.ts'
import { tagRowKey } from './document-key.ts'
import { type DocumentRecord, type TagEntry, tagOf } from './document-record.ts'
import { inParallel } from './in-order.ts'

/**
 * The index of tags (ARCHITECTURE.md, "The index of tags"): an empty object for each tag of a document, so that the
 * documents that have a tag are found by one list call. It only says where to look: the record decides.
 */
export interface TagIndex {
  /** Writes rows, before the record that names them. @throws {ObjectStoreError} */
  add(rows: readonly string[]): Promise<void>
  /** Removes rows that no record names any more. One that stays does no harm: `scrub` removes it. */
  remove(rows: readonly string[]): Promise<void>
}

/** Returns the index that lies in a store. */
export function createTagIndex(store: Pick<ObjectStore, 'put' | 'delete'>): TagIndex {
  return {
    async add(rows) {
      await inParallel(rows, limits.callsPerRequestMax, (row) =>
        store.put(row, new Uint8Array(), { size: 0, contentType: rowContentType }),
      )
    },

    async remove(rows) {
      await inParallel(rows, limits.callsPerRequestMax, (row) => store.delete(row).catch(() => {}))
    },
  }
}

const rowContentType = 'application/octet-stream'

/** A record whose tags have their rows, and the keys of rows that this takes. */
export interface Indexed {
  record: DocumentRecord
  /** To be written before the record. */
  added: string[]
  /** To be removed after it. */
  removed: string[]
}

/**
 * Returns a record as it is to be written over another one: a tag that is new, or has moved without a row, gets a row of
 * its own; one that has moved keeps its row, whatever its entry says, which may come from another store.
 *
 * A row is named after the write that made its tag, so that a row that is removed is never one that a later write needs,
 * however late the removal arrives.
 *
 * @param writeId names the write.
 */
export function indexed(
  ref: DocumentRef,
  { from, to, writeId }: { from: DocumentRecord; to: DocumentRecord; writeId: string },
): Indexed {
  const added: string[] = []
  const tags = Object.entries(to.tags).map(([tag, entry]): [string, TagEntry] => {
    const before = tagOf(from, tag)
    if (tag === latestTag || entry === before) return [tag, entry]
    if (before?.row === undefined) added.push(tagRowKey({ ...ref, tag }, writeId))
    return [tag, { ...entry, row: before?.row ?? writeId }]
  })
  const removed = Object.entries(from.tags).flatMap(([tag, { row }]) =>
    row === undefined || tagOf(to, tag) ? [] : [tagRowKey({ ...ref, tag }, row)],
  )
  // Not by assignment: a tag may be named `__proto__`.
  return { record: { ...to, tags: Object.fromEntries(tags) }, added, removed }
}
