import type { ListedObject, ObjectStore } from '../../object-store/object-store.ts'
import type { DocumentRef, TagRef, VersionRef } from '../../wire/names.ts'
import { parseRecordKey, parseVersionKey, versionsPrefix } from '../document-key.ts'
import { type DocumentRecord, emptyRecord } from '../document-record.ts'
import { inOrder } from '../in-order.ts'
import { createRecords } from '../record-store.ts'
import { createVersionRemoval } from '../version-removal.ts'
import { copyMissing } from './copy-missing.ts'
import { copyRecord, type Outcome } from './copy-record.ts'
import { type CopyContext, copyVersion } from './copy-version.ts'
import { readableRecord } from './failure.ts'
import { oldTagKey, oldTagsPrefix, parseOldTagKey, readOldTags, recordOfOldTags } from './old-layout.ts'
import { keysOfSource, type PairedKey } from './paired-keys.ts'
import { createRateLimit } from './rate-limit.ts'
import type { Tally } from './recount.ts'
import { onSide } from './store-side.ts'
import { versionsOf } from './versions-of.ts'

/** Bytes before records: a tag in the target never points to what is not there yet. */
export const phases = ['versions', 'records'] as const
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
  /** Removes from the target what the source has deleted; default: that is only reported. */
  removeDeleted?: boolean
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

/** What was done with the versions of one document, or with its record. */
export interface Migrated {
  position: Position
  outcomes: Outcome[]
}

/** Finished units that may wait for one that takes long. */
const aheadPerCall = 16

/**
 * Copies every version of `source` to `target`, both below their prefixes, except what is there already, and merges the
 * records. What only the old layout of the source says becomes part of the target's records. Streams, and holds no
 * document in memory. Deletes nothing unless it is asked to; safe to repeat, and to stop anywhere.
 *
 * @throws {SideError} if a store is out of reach: continue from the last position that was yielded.
 */
export async function* migrate(
  source: ObjectStore,
  target: ObjectStore,
  options: MigrationOptions,
): AsyncGenerator<Migrated> {
  const { from = { phase: 'versions', after: '' }, parallelMax, since = new Date(0) } = options
  const context = contextOf(onSide('source', source), onSide('target', target), options)
  for (const phase of phases.slice(phases.indexOf(from.phase))) {
    const after = phase === from.phase && from.after !== '' ? from.after : undefined
    // Each phase lists everything; versions are what is counted.
    const tallies = phase === 'versions' ? { source: options.tally } : undefined
    const pairs = keysOfSource(context.source, context.target, { after, tallies, signal: context.signal })
    const wanted = sinceThen(pairs, since)
    const units = phase === 'versions' ? documentsIn(wanted) : recordsIn(wanted)
    const bounds = { parallelMax, aheadMax: parallelMax * aheadPerCall }
    yield* inOrder(units, bounds, async (unit) => ({
      position: { phase, after: unit.after },
      outcomes: await unit.copy(context),
    }))
  }
}

function contextOf(source: ObjectStore, target: ObjectStore, options: MigrationOptions): CopyContext {
  const records = { source: createRecords(source), target: createRecords(target) }
  const { dryRun = false, removeDeleted = false, onBytes, onOutcome, signal } = options
  return {
    ...{ source, target, records, dryRun, removeDeleted, onBytes, onOutcome, signal },
    removal: createVersionRemoval({ store: target, records: records.target }),
    rateLimit: createRateLimit(options.bytesPerSecondMax, signal),
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
      const outcomes: Outcome[] = []
      let from: DocumentRecord | null = null
      for (const { ref, source, target } of oldestFirst) {
        if (!target)
          from ??= (await readableRecord(context.records.source, ref, context.signal)) ?? emptyRecord
        const outcome =
          from && !target
            ? await copyMissing(context, ref, source, from)
            : await copyVersion(context, ref, source, target)
        context.onOutcome?.(outcome)
        outcomes.push(outcome)
      }
      return outcomes
    },
  }
}

/** Yields the records, and the tags of the old layout of one document after the other. */
async function* recordsIn(pairs: AsyncIterable<{ key: string }>): AsyncGenerator<Unit> {
  let tags: TagRef[] = []
  for await (const { key } of pairs) {
    const tag = parseOldTagKey(key)
    const [last] = tags
    if (last && (tag === null || oldTagsPrefix(tag) !== oldTagsPrefix(last))) {
      yield oldTagsUnit(tags)
      tags = []
    }
    if (tag) tags.push(tag)
    const ref = parseRecordKey(key)
    if (ref) yield { after: key, copy: (context) => reported(context, copyStoredRecord(context, ref)) }
  }
  if (tags.length > 0) yield oldTagsUnit(tags)
}

async function copyStoredRecord(context: CopyContext, ref: DocumentRef): Promise<Outcome[]> {
  const from = await readableRecord(context.records.source, ref, context.signal)
  return from ? copyRecord(context, ref, from) : [{ of: 'record', ref, result: 'damaged' }]
}

function oldTagsUnit(tags: readonly TagRef[]): Unit {
  return {
    after: oldTagKey(tags.at(-1) as TagRef),
    copy: (context) => reported(context, copyOldTags(context, tags)),
  }
}

/** Merges what the old layout of the source says of one document into the target's record. */
async function copyOldTags(context: CopyContext, tags: readonly TagRef[]): Promise<Outcome[]> {
  const { source, signal } = context
  const { found, unreadable } = await readOldTags(source, tags, signal)
  const nothing = { of: 'tag', source: null, target: null } as const
  const outcomes: Outcome[] = unreadable.map(({ ref, result }) => ({ ...nothing, ref, result }))
  const [first] = tags
  if (!first || found.size === 0) return outcomes
  const { tenant, type, name } = first
  const ref = { tenant, type, name }
  const from = recordOfOldTags(found, await versionsOf(source, ref, { signal }))
  return [...outcomes, ...(await copyRecord(context, ref, from))]
}

async function reported({ onOutcome }: CopyContext, copying: Promise<Outcome[]>): Promise<Outcome[]> {
  const outcomes = await copying
  for (const outcome of outcomes) onOutcome?.(outcome)
  return outcomes
}
