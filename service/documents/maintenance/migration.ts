import type { ListedObject, ObjectStore } from '../../object-store/object-store.ts'
import { latestTag, type VersionRef } from '../../wire/names.ts'
import { parseTagKey, parseVersionKey, versionsPrefix } from '../document-key.ts'
import { inOrder } from '../in-order.ts'
import { copyTag, type TagOutcome } from './copy-tag.ts'
import { type CopyContext, copyVersion, type VersionOutcome } from './copy-version.ts'
import { keysOfSource, type PairedKey } from './paired-keys.ts'
import { createRateLimit } from './rate-limit.ts'
import type { Tally } from './recount.ts'
import { onSide } from './store-side.ts'

/** Bytes before tags, and `latest` last: a tag in the target never points to what is not there yet. */
export const phases = ['versions', 'tags', 'latest'] as const
export type Phase = (typeof phases)[number]

/** How far a migration has come: in this phase everything up to and including `after` is done. */
export interface Position {
  phase: Phase
  /** Empty for nothing yet. */
  after: string
}

export interface MigrationOptions {
  /** Where to continue, as an earlier run reported it. */
  from?: Position | undefined
  /** Skips what the source stored before this time, by its own clock. */
  since?: Date | undefined
  dryRun?: boolean
  /** Documents that are worked on at once. */
  parallelMax: number
  /** Upper bound of the copying rate, of all together. */
  bytesPerSecondMax: number
  /** Receives the number of bytes of each chunk. */
  onBytes?: ((bytes: number) => void) | undefined
  /** Receives each outcome at once: a run that fails or is interrupted yields no more of them. */
  onOutcome?: CopyContext['onOutcome']
  /** Counts the versions that the source lists, from the first key. */
  tally?: Tally | undefined
  signal?: AbortSignal | undefined
}

/** What was done under the keys of one document, or with one tag. */
export interface Migrated {
  position: Position
  outcomes: (VersionOutcome | TagOutcome)[]
}

/** Finished units that may wait for one that takes long. */
const aheadPerCall = 16

/**
 * Copies every version and every tag of `source` to `target`, both below their prefixes, except what is there
 * already. Streams, and holds no document in memory. Deletes nothing; safe to repeat, and to stop anywhere.
 *
 * @throws {SideError} if a store is out of reach: continue from the last position that was yielded.
 */
export async function* migrate(
  source: ObjectStore,
  target: ObjectStore,
  options: MigrationOptions,
): AsyncGenerator<Migrated> {
  const { from = { phase: 'versions', after: '' }, parallelMax, since = new Date(0) } = options
  const context: CopyContext = {
    source: onSide('source', source),
    target: onSide('target', target),
    dryRun: options.dryRun === true,
    rateLimit: createRateLimit(options.bytesPerSecondMax, options.signal),
    onBytes: options.onBytes,
    onOutcome: options.onOutcome,
    signal: options.signal,
  }
  for (const phase of phases.slice(phases.indexOf(from.phase))) {
    const after = phase === from.phase && from.after !== '' ? from.after : undefined
    // Each phase lists everything; versions are what is counted.
    const tallies = phase === 'versions' ? { source: options.tally } : undefined
    const pairs = keysOfSource(context.source, context.target, { after, tallies, signal: context.signal })
    const wanted = sinceThen(pairs, since)
    const units = phase === 'versions' ? documentsIn(wanted) : tagsIn(wanted, phase)
    const bounds = { parallelMax, aheadMax: parallelMax * aheadPerCall }
    yield* inOrder(units, bounds, async (unit) => ({
      position: { phase, after: unit.after },
      outcomes: await unit.copy(context),
    }))
  }
}

interface Unit {
  after: string
  copy(context: CopyContext): Promise<Migrated['outcomes']>
}

interface SourceVersion {
  ref: VersionRef
  source: ListedObject
  target: ListedObject | null
}

async function* sinceThen(pairs: AsyncIterable<PairedKey>, since: Date) {
  for await (const { key, source, target } of pairs) {
    if (source && source.lastModified >= since) yield { key, source, target }
  }
}

/**
 * Yields the versions of one document after the other; their keys follow each other. Versions are copied oldest first:
 * stores stamp them with the time of the copy, and "newest first" must mean the same in both.
 */
async function* documentsIn(
  pairs: AsyncIterable<{ key: string; source: ListedObject; target: ListedObject | null }>,
): AsyncGenerator<Unit> {
  let document = ''
  let versions: SourceVersion[] = []
  for await (const { key, source, target } of pairs) {
    const ref = parseVersionKey(key)
    if (!ref) continue
    const prefix = versionsPrefix(ref)
    if (prefix !== document && versions.length > 0) yield unitOf(versions)
    if (prefix !== document) versions = []
    document = prefix
    versions.push({ ref, source, target })
  }
  if (versions.length > 0) yield unitOf(versions)
}

function unitOf(versions: readonly SourceVersion[]): Unit {
  const oldestFirst = versions.toSorted((a, b) => +a.source.lastModified - +b.source.lastModified)
  return {
    after: versions.at(-1)?.source.key ?? '',
    async copy(context) {
      const outcomes: VersionOutcome[] = []
      for (const { ref, source, target } of oldestFirst) {
        const outcome = await copyVersion(context, ref, source, target)
        context.onOutcome?.(outcome)
        outcomes.push(outcome)
      }
      return outcomes
    },
  }
}

async function* tagsIn(pairs: AsyncIterable<{ key: string }>, phase: Phase): AsyncGenerator<Unit> {
  for await (const { key } of pairs) {
    const ref = parseTagKey(key)
    if (ref === null || (ref.tag === latestTag) !== (phase === 'latest')) continue
    const copy = async (context: CopyContext) => {
      const outcome = await copyTag(context, ref)
      context.onOutcome?.(outcome)
      return [outcome]
    }
    yield { after: key, copy }
  }
}
