import type { DocumentRef, TagRef, VersionRef } from '../../wire/names.ts'
import { versionKey } from '../document-key.ts'
import { type DocumentRecord, deletionOf, markOf, type TagEntry } from '../document-record.ts'
import { changeByFacts } from './change-by-facts.ts'
import { copyMissing } from './copy-missing.ts'
import type { CopyContext, VersionOutcome } from './copy-version.ts'
import { isFailureOf } from './failure.ts'
import { type MergedTag, merged, type TagMerge } from './record-merge.ts'
import { settleDeletions } from './settle-deletions.ts'
import { versionsOf } from './versions-of.ts'

/**
 * What became of a tag, as the merge of the records says (`record-merge.ts`), or:
 * - `gone`: removed from the source since it was listed.
 * - `dangling`: points to a version that the source does not have. It reads as absent there and is not copied.
 * - `deleted`: points to a version that the target has deleted since. It is not copied.
 *
 * Failures: `withheld`, its version could not be copied; `exhausted`; `damaged`, of the old layout.
 */
export type TagResult = TagMerge | 'gone' | 'dangling' | 'deleted' | 'damaged'

export interface TagOutcome {
  of: 'tag'
  ref: TagRef
  result: TagResult
  source: TagEntry | null
  /** The target's before this. */
  target: TagEntry | null
}

/** A record that was not copied: `damaged`, whichever store has it, or `contended`, by clients of the target. */
export interface RecordOutcome {
  of: 'record'
  ref: DocumentRef
  result: 'damaged' | 'contended'
}

export type Outcome = VersionOutcome | TagOutcome | RecordOutcome

/**
 * Merges a record of the source into that of the target. Versions that its tags need are copied first if the target
 * does not have them: they may have been uploaded since the versions were listed. Versions that the source has deleted
 * are reported, and removed from the target if the context says so.
 *
 * @throws {SideError}
 */
export async function copyRecord(
  context: CopyContext,
  ref: DocumentRef,
  from: DocumentRecord,
): Promise<Outcome[]> {
  try {
    const tags = await mergeIntoTarget(context, ref, from)
    return [...tags, ...(await settleDeletions(context, ref, from))]
  } catch (error) {
    if (isFailureOf(error, 'integrity_violated')) return [{ of: 'record', ref, result: 'damaged' }]
    if (isFailureOf(error, 'busy')) return [{ of: 'record', ref, result: 'contended' }]
    throw error
  }
}

/** Why a version that a tag points to is not in the target. */
type Blocker = 'withheld' | 'dangling' | 'deleted'

async function mergeIntoTarget(
  context: CopyContext,
  ref: DocumentRef,
  from: DocumentRecord,
): Promise<TagOutcome[]> {
  const { target, records, dryRun, signal } = context
  const blockers = new Map<string, Blocker>()
  const tags = await changeByFacts(records.target, ref, {
    signal,
    async look(into) {
      const there = new Set((await versionsOf(target, ref, { signal })).map(({ digest }) => digest))
      for (const { result, source } of merged(into, from, (digest) => there.has(digest)).tags) {
        const version = { ...ref, digest: source.digest }
        if (result !== 'withheld' || blockers.has(source.digest)) continue
        const blocker = await blockerOf(context, version, from)
        if (blocker) blockers.set(source.digest, blocker)
        else there.add(source.digest)
      }
      return there
    },
    change(into, there) {
      const { record, tags } = merged(into, from, (digest) => there.has(digest) && !markOf(into, digest))
      return dryRun || record === into ? { result: tags } : { to: record, result: tags }
    },
  })
  return tags.map((tag) => outcomeOf(ref, tag, blockers.get(tag.source.digest)))
}

function outcomeOf(
  ref: DocumentRef,
  { tag, result, source, target }: MergedTag,
  blocker?: Blocker,
): TagOutcome {
  const reason = result === 'withheld' ? (blocker ?? result) : result
  return { of: 'tag', ref: { ...ref, tag }, result: reason, source, target }
}

/** Copies a version that a tag needs. @returns why the target does not have it, `null` if it does now */
async function blockerOf(
  context: CopyContext,
  ref: VersionRef,
  from: DocumentRecord,
): Promise<Blocker | null> {
  const here = await context.source.head(versionKey(ref), { signal: context.signal })
  if (!here || markOf(from, ref.digest) || deletionOf(from, ref.digest)) return 'dangling'
  const { result } = await copyMissing(context, ref, here, from)
  if (result === 'copied' || result === 'present') return null
  if (result === 'gone') return 'dangling'
  return result === 'deleted' ? 'deleted' : 'withheld'
}
