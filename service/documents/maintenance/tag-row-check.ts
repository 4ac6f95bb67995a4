import { limits } from '../../limits.ts'
import type { CallOptions, ListedObject, ObjectStore } from '../../object-store/object-store.ts'
import { type DocumentRef, latestTag, type TagRef } from '../../wire/names.ts'
import { parseTagRowKey, tagRowKey } from '../document-key.ts'
import { type DocumentRecord, tagOf } from '../document-record.ts'
import { inParallel } from '../in-order.ts'
import type { Records } from '../record-store.ts'
import { readableRecord } from './failure.ts'

/** A row is written before its record: only one that has waited longer than any write is one that no record names. */
const settledSeconds = 5 * 60

/** Tags of a record that a list by tag does not find. */
export interface UnindexedTags {
  /** Tags whose entry names no row, ascending: they were moved by a version of the service that had no index. */
  withoutRow: string[]
  /** The row that an entry names is not there, by tag, ascending: its key. */
  lostRows: { tag: string; key: string }[]
}

/** Returns the tags of a record that the index does not have, by a HEAD for each tag. */
export async function unindexedTags(
  store: Pick<ObjectStore, 'head'>,
  ref: DocumentRef,
  { tags }: DocumentRecord,
  { signal }: CallOptions = {},
): Promise<UnindexedTags> {
  const own = Object.entries(tags)
    .filter(([tag]) => tag !== latestTag)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  const withoutRow = own.flatMap(([tag, { row }]) => (row === undefined ? [tag] : []))
  const named = own.flatMap(([tag, { row }]) =>
    row === undefined ? [] : [{ tag, key: tagRowKey({ ...ref, tag }, row) }],
  )
  const found = await inParallel(named, limits.callsPerRequestMax, ({ key }) => store.head(key, { signal }))
  return { withoutRow, lostRows: named.filter((_, at) => found[at] === null) }
}

/** Returns the record with entries of these tags that count as moved, so that a write gives them rows. */
export function withRowsToCome(record: DocumentRecord, tags: readonly string[]): DocumentRecord {
  if (tags.length === 0) return record
  const entries = Object.entries(record.tags).map(
    ([tag, entry]) => [tag, tags.includes(tag) ? { ...entry } : entry] as const,
  )
  return { ...record, tags: Object.fromEntries(entries) }
}

/**
 * Returns the tag of a listed row that its record does not name, and removes the row if it is to be repaired. Such a row
 * does no harm: a list by tag reads a record for nothing.
 *
 * @returns `null` for a row that is named or new, and for any other object.
 */
export async function checkTagRow(
  checks: { store: ObjectStore; records: Records; repair: boolean; signal?: AbortSignal | undefined },
  { key, lastModified }: ListedObject,
): Promise<TagRef | null> {
  const { store, records, repair, signal } = checks
  const parsed = parseTagRowKey(key)
  if (!parsed) return null
  const { ref, row } = parsed
  const record = await readableRecord(records, ref, signal)
  if (!record || tagOf(record, ref.tag)?.row === row) return null
  const now = await store.clock({ signal })
  if (now.getTime() - lastModified.getTime() < settledSeconds * 1000) return null
  if (repair) await store.delete(key, { signal })
  return ref
}
