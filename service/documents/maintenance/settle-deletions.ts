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
  for (const deletion of from.deleted) {
    const { digest } = deletion
    // Deleted there as well, or about to be.
    if (deletionOf(into, digest) || markOf(into, digest)) continue
    const version = { ...ref, digest }
    const info = await context.target.head(versionKey(version), { signal: context.signal })
    const used = info && (await usedAt(context.target, version, into, context.signal))
    if (!info || used === null || isUsedAfter(used, deletion)) continue
    const result =
      context.removeDeleted && !context.dryRun ? await remove(context, version, deletion) : 'left'
    const tags =
      result === 'tagged' ? { tags: tagsPointingTo(into, digest).filter((tag) => tag !== latestTag) } : {}
    outcomes.push({ of: 'version', ref: version, size: info.size, result, ...tags })
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
