import type { ListedObject } from '../../object-store/object-store.ts'
import type { VersionRef } from '../../wire/names.ts'
import { versionKey } from '../document-key.ts'
import { type DocumentRecord, deletionOf, emptyRecord, markOf } from '../document-record.ts'
import { changeByFacts } from './change-by-facts.ts'
import { type CopyContext, copyVersion, type VersionOutcome } from './copy-version.ts'
import { readableRecord } from './failure.ts'
import { isUsedAfter, usedAt } from './later-use.ts'

/**
 * Copies a version that the target does not have, unless the target has deleted it after the source last got or tagged
 * it: a deletion survives a change of the store.
 *
 * @param from the source's record of the document.
 * @throws {SideError} as {@link copyVersion} does.
 */
export async function copyMissing(
  context: CopyContext,
  ref: VersionRef,
  here: Pick<ListedObject, 'size'>,
  from: DocumentRecord,
): Promise<VersionOutcome> {
  const { digest } = ref
  const outcome = { of: 'version', ref, size: here.size } as const
  // Being deleted there, or bytes that arrived after their deletion.
  if (markOf(from, digest) || deletionOf(from, digest)) return { ...outcome, result: 'gone' }
  // A damaged record does not keep its versions from being copied; it is reported when the records are merged.
  const into = (await readableRecord(context.records.target, ref, context.signal)) ?? emptyRecord
  if (markOf(into, digest)) return { ...outcome, result: 'busy' }
  const deletion = deletionOf(into, digest)
  if (!deletion) return copyVersion(context, ref, here, null)
  const info = await context.source.head(versionKey(ref), { signal: context.signal })
  if (!info) return { ...outcome, result: 'gone' }
  if (!isUsedAfter(usedAt(ref, info, from), deletion)) return { ...outcome, result: 'deleted' }
  const copied = await copyVersion(context, ref, here, null)
  if (context.dryRun || copied.result !== 'copied' || (await forgetDeletion(context, ref))) return copied
  return { ...outcome, result: 'busy' }
}

/**
 * Notes that a version is no longer deleted: otherwise the sweeper takes its bytes for late ones and removes them.
 *
 * @returns false if it has done so already.
 */
function forgetDeletion({ records, target, signal }: CopyContext, ref: VersionRef): Promise<boolean> {
  return changeByFacts(records.target, ref, {
    signal,
    look: async () => (await target.head(versionKey(ref), { signal })) !== null,
    change(record, isThere) {
      if (!isThere || !deletionOf(record, ref.digest)) return { result: isThere }
      const deleted = record.deleted.filter(({ digest }) => digest !== ref.digest)
      return { to: { ...record, deleted }, result: isThere }
    },
  })
}
