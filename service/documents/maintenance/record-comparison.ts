import type { DocumentRef } from '../../wire/names.ts'
import { type DocumentRecord, type TagEntry, tagOf } from '../document-record.ts'
import type { Records } from '../record-store.ts'
import { readableRecord } from './failure.ts'
import type { Compared, Difference } from './store-comparison.ts'

/**
 * Compares the records of one document in two stores: one result for the record, and one for each tag that either has.
 * The order of the versions is left out: what follows from it is `latest`.
 *
 * @throws {ObjectStoreError} if a store is out of reach.
 */
export async function compareRecords(
  records: { source: Records; target: Records },
  ref: DocumentRef,
  signal?: AbortSignal,
): Promise<Compared[]> {
  const [one, other] = await Promise.all([
    readableRecord(records.source, ref, signal),
    readableRecord(records.target, ref, signal),
  ])
  const result = (differences: Difference[]) => ({ ref, differences, hashed: 0 })
  if (!one || !other) {
    return [
      result([...(one ? [] : ['bytes in source' as const]), ...(other ? [] : ['bytes in target' as const])]),
    ]
  }
  const names = new Set([...Object.keys(one.tags), ...Object.keys(other.tags)])
  const tags = [...names].sort().map((tag) => ({
    ...{ ref: { ...ref, tag }, hashed: 0 },
    differences: tagDifferences(tagOf(one, tag), tagOf(other, tag)),
  }))
  return [result(recordDifferences(one, other)), ...tags]
}

function recordDifferences(one: DocumentRecord, other: DocumentRecord): Difference[] {
  // A record has a revision from its first write on.
  if (one.revision === 0 || other.revision === 0) {
    return one.revision === other.revision ? [] : [one.revision > 0 ? 'only in source' : 'only in target']
  }
  const deletedIn = ({ deleted }: DocumentRecord) => deleted.map(({ digest }) => digest).sort()
  const markedIn = ({ deleting }: DocumentRecord) => Object.keys(deleting).sort()
  return [
    ...(Bun.deepEquals(deletedIn(one), deletedIn(other)) ? [] : (['deletions'] as const)),
    ...(Bun.deepEquals(markedIn(one), markedIn(other)) ? [] : (['marks'] as const)),
  ]
}

function tagDifferences(one: TagEntry | undefined, other: TagEntry | undefined): Difference[] {
  if (!one || !other) return [one ? 'only in source' : 'only in target']
  if (one.digest !== other.digest) return ['version']
  return one.id === other.id ? [] : ['move']
}
