import type { ObjectInfo } from '../../object-store/object-store.ts'
import type { VersionRef } from '../../wire/names.ts'
import type { Deletion, DocumentRecord } from '../document-record.ts'
import { toStoredVersion } from '../stored-version.ts'

/**
 * Returns when a version was last uploaded or tagged, as far as its store still knows: an upload of bytes that were
 * there moved `latest`, and is forgotten with the next upload.
 *
 * @param record of the same store.
 * @returns milliseconds since 1970, by the clocks of the service.
 */
export function usedAt(ref: VersionRef, info: ObjectInfo, record: DocumentRecord): number {
  const moves = Object.values(record.tags)
    .filter(({ digest }) => digest === ref.digest)
    .map(({ movedAt }) => Date.parse(movedAt))
  return Math.max(Date.parse(toStoredVersion(ref, info).createdAt), ...moves)
}

/**
 * Returns whether a version was used after a deletion. The deletion is noted by the clock of its store, in whole seconds;
 * within that second it counts as the later one, since most versions are not uploaded again.
 *
 * @param used as {@link usedAt} returns it.
 */
export function isUsedAfter(used: number, { at }: Deletion): boolean {
  return used >= Date.parse(at) + 1000
}
