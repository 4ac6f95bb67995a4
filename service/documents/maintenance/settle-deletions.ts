import { type DocumentRef, latestTag, type VersionRef } from '../../wire/names.ts'
import { versionKey } from '../document-key.ts'
import { type Deletion, type DocumentRecord, deletionOf, markOf, tagsPointingTo } from '../document-record.ts'
import type { CopyContext, VersionOutcome, VersionResult } from './copy-version.ts'
import { isFailureOf } from './failure.ts'
import { isUsedAfter, usedAt } from './later-use.ts'

/** Named in records and in moves of tags. */
const subject = 'migrate'

/**
 * Looks at the target for each version that the source has deleted. Those that were uploaded or tagged there after the
 * deletion stay; the others are reported, and removed if the context says so.
 *
 * @throws {SideError}
 */
export async function settleDeletions(
  context: CopyContext,
  ref: DocumentRef,
  from: DocumentRecord,
): Promise<VersionOutcome[]> {
  if (from.deleted.length === 0) return []
  const outcomes: VersionOutcome[] = []
  const into = await context.records.target.read(ref, context.signal)
  const removes = context.removeDeleted && !context.dryRun
  for (const deletion of from.deleted) {
    const { digest } = deletion
    if (deletionOf(into, digest)) continue
    const version = { ...ref, digest }
    const info = await context.target.head(versionKey(version), { signal: context.signal })
    // Marked: an earlier run has begun to remove it, or a client of the target; it is finished like any other.
    const counts = info !== null && !isUsedAfter(usedAt(version, info, into), deletion)
    if (markOf(into, digest) ? !removes : !counts) continue
    const result = removes ? await remove(context, version, deletion) : 'left'
    const keepers = tagsPointingTo(into, digest).filter((tag) => tag !== latestTag)
    const tags = result === 'tagged' ? { tags: keepers } : {}
    outcomes.push({ of: 'version', ref: version, size: info?.size ?? 0, result, ...tags })
  }
  return outcomes
}

async function remove(context: CopyContext, ref: VersionRef, deletion: Deletion): Promise<VersionResult> {
  try {
    await context.removal.remove(ref, { by: subject, signal: context.signal })
  } catch (error) {
    if (isFailureOf(error, 'document_not_found')) return 'gone'
    if (isFailureOf(error, 'version_tagged')) return 'tagged'
    if (isFailureOf(error, 'version_locked')) return 'locked'
    if (isFailureOf(error, 'busy')) return 'busy'
    throw error
  }
  await noteOriginal(context, ref, deletion)
  return 'removed'
}

/** The deletion happened when the source decided on it: an upload there since then is the later one. */
async function noteOriginal({ records }: CopyContext, ref: VersionRef, deletion: Deletion): Promise<void> {
  await records.target.change(ref, ({ record }) => {
    if (deletionOf(record, ref.digest)?.by !== subject) return { result: undefined }
    const deleted = record.deleted.map((noted) => (noted.digest === ref.digest ? deletion : noted))
    return { to: { ...record, deleted }, result: undefined }
  })
}
