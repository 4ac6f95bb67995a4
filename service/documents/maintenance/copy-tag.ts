import { limits } from '../../limits.ts'
import { latestTag, type TagRef } from '../../wire/names.ts'
import { versionKey } from '../document-key.ts'
import { createTagStore, type TagRecord } from '../tag-store.ts'
import { type CopyContext, copyVersion } from './copy-version.ts'

/**
 * - `copied`: the target had none; `moved`: the target's was older; in a dry run: would be.
 * - `present`: there already, at the same version.
 * - `kept`: the target's is newer, or as old, and points elsewhere.
 * - `gone`: removed from the source since it was listed.
 * - `dangling`: points to a version that the source does not have. It reads as absent there and is not copied.
 *
 * The others are failures, and nothing was written:
 * - `damaged`: its text is not a tag's.
 * - `withheld`: its version could not be copied.
 * - `contended`: other clients kept moving it in the target.
 */
export type TagResult =
  | 'copied'
  | 'moved'
  | 'present'
  | 'kept'
  | 'gone'
  | 'dangling'
  | 'damaged'
  | 'withheld'
  | 'contended'

export interface TagOutcome {
  of: 'tag'
  ref: TagRef
  result: TagResult
  source: TagRecord | null
  /** The target's before this. */
  target: TagRecord | null
}

/**
 * Copies a tag unless the target's is newer. Its version is copied first if the target does not have it: it may have
 * been uploaded since the versions were listed.
 *
 * @throws {SideError}
 */
export async function copyTag(context: CopyContext, ref: TagRef): Promise<TagOutcome> {
  const { signal, dryRun } = context
  const here = await createTagStore(context.source).find(ref, ref.tag, signal)
  const source = here?.record ?? null
  const outcome = (result: TagResult, target: TagRecord | null = null): TagOutcome => ({
    ...{ of: 'tag', ref, result, source, target },
  })
  if (!here) return outcome('gone')
  if (!source) return outcome('damaged')
  const tags = createTagStore(context.target)
  /** ETag of the target's tag when a write was refused, `null` for none. */
  let refusedAt: string | null | undefined
  for (let attempt = 0; attempt < limits.tagMoveAttemptsMax; attempt += 1) {
    const there = await tags.find(ref, ref.tag, signal)
    const target = there?.record ?? null
    if (target && !isNewer(ref.tag, source, target)) {
      return outcome(source.digest === target.digest ? 'present' : 'kept', target)
    }
    const blocker = await blockerOf(context, ref, source)
    if (blocker) return outcome(blocker, target)
    const result = there ? 'moved' : 'copied'
    const at = there?.etag ?? null
    // Refused, and nothing has moved: RGW 16.2 refuses every If-Match where a bucket keeps versions. The last wins.
    const over = refusedAt === at ? undefined : there
    if (dryRun || (await tags.write(ref, ref.tag, source, { over, signal }))) return outcome(result, target)
    refusedAt = at
  }
  return outcome('contended')
}

/**
 * Returns whether `one` replaces `other`. Decision: the newer move wins. For `latest` that is the one whose upload was
 * admitted later, as within one store (`latest.ts`); for every other tag the later move, by the clock of its service.
 * Revisit when two stores take writes at the same time on purpose.
 */
export function isNewer(tag: string, one: TagRecord, other: TagRecord): boolean {
  const time = ({ admittedAt, movedAt }: TagRecord) => Date.parse(tag === latestTag ? admittedAt : movedAt)
  return time(one) > time(other)
}

/** Returns why the tag would point to nothing in the target, or `null` once its version is there. */
async function blockerOf(
  context: CopyContext,
  { tenant, type, name }: TagRef,
  { digest }: TagRecord,
): Promise<'dangling' | 'withheld' | null> {
  const { source, target, signal } = context
  const version = { tenant, type, name, digest }
  const key = versionKey(version)
  if (await target.head(key, { signal })) return null
  const here = await source.head(key, { signal })
  if (!here) return 'dangling'
  const { result } = await copyVersion(context, version, here, null)
  if (result === 'copied' || result === 'present') return null
  return result === 'gone' ? 'dangling' : 'withheld'
}
