import { limits } from '../../limits.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ListedVersion } from '../../wire/answers.ts'
import type { DocumentRef } from '../../wire/names.ts'
import { recordKey } from '../document-key.ts'
import { DocumentRecord, newChangeId, sealed } from '../document-record.ts'
import type { Records } from '../record-store.ts'
import { storedJson, writeJsonAt } from '../stored-json.ts'
import { createTagIndex } from '../tag-index.ts'
import { changeByFacts } from './change-by-facts.ts'
import { readableRecord } from './failure.ts'
import { oldTagsPrefix, recordOfOldTags } from './old-layout.ts'
import { defectsOf, type RecordDefects, repaired } from './record-repair.ts'
import { type UnindexedTags, unindexedTags, withRowsToCome } from './tag-row-check.ts'
import { versionsOf } from './versions-of.ts'

/**
 * - `missing`: the document has versions and no record.
 * - `unconverted`: it has no record, and tags of the old layout: see the command `convert`. Never repaired here.
 * - `damaged`: its text is not a record's.
 * - `defective`: it says something else than the versions or the index of tags do.
 */
export interface RecordFinding extends RecordDefects {
  problem: 'missing' | 'unconverted' | 'damaged' | 'defective'
  /** Tags that a list by tag does not find, ascending. */
  unindexedTags: string[]
  /** A rebuilt record has `latest` and no other tag: those of a damaged one are lost. */
  isRepaired: boolean
}

export interface RecordChecks {
  store: ObjectStore
  records: Records
  /** Repairs what is found, by the conditional writes that the service uses as well. */
  repair: boolean
  signal?: AbortSignal | undefined
}

/** Named in records as the one who moved what was moved. */
const subject = 'scrub'

/** An upload writes its record after its bytes: only what has waited longer than any upload is without a record. */
const settledSeconds = 5 * 60

/**
 * Compares a record with the versions of its document, while the service runs.
 *
 * @returns what is wrong, `null` if nothing is.
 * @throws {ObjectStoreError} if the store fails; {DocumentError} `busy` if other clients keep changing the record.
 */
export async function checkRecord(checks: RecordChecks, ref: DocumentRef): Promise<RecordFinding | null> {
  const { records, signal } = checks
  if ((await readableRecord(records, ref, signal)) === null) return rebuildDamaged(checks, ref)
  const { finding, lostRows } = await changeByFacts<Seen, Checked>(records, ref, {
    signal,
    look: (record) => see(checks, ref, record),
    change(record, seen) {
      const { versions, unindexed } = seen
      const finding = findingOf(record, seen)
      if (!finding || !checks.repair || finding.problem === 'unconverted')
        return { result: { finding, lostRows: [] } }
      const to = withRowsToCome(repaired(record, versions, subject), unindexed.withoutRow)
      const lostRows = unindexed.lostRows.filter(({ tag }) => finding.unindexedTags.includes(tag))
      return { to, result: { finding: { ...finding, isRepaired: true }, lostRows } }
    },
  })
  // A row of a tag that has been removed meanwhile does no harm.
  await createTagIndex(checks.store).add(lostRows.map(({ key }) => key))
  return finding
}

interface Checked {
  finding: RecordFinding | null
  /** Rows to write again. */
  lostRows: UnindexedTags['lostRows']
}

interface Seen {
  versions: ListedVersion[]
  unindexed: UnindexedTags
  /** Some of them have been there for so long that a record should know of them. */
  isSettled: boolean
  hasOldTags: boolean
}

async function see({ store, signal }: RecordChecks, ref: DocumentRef, record: DocumentRecord): Promise<Seen> {
  const [now, versions, unindexed, old] = await Promise.all([
    store.clock({ signal }),
    versionsOf(store, ref, { signal }),
    unindexedTags(store, ref, record, { signal }),
    record.revision === 0 ? store.list({ prefix: oldTagsPrefix(ref), limit: 1, signal }) : null,
  ])
  const before = now.getTime() - settledSeconds * 1000
  const isSettled = versions.some(({ storedAt }) => Date.parse(storedAt) < before)
  return { versions, unindexed, isSettled, hasOldTags: (old?.objects.length ?? 0) > 0 }
}

function findingOf(
  record: DocumentRecord,
  { versions, unindexed, isSettled, hasOldTags }: Seen,
): RecordFinding | null {
  const found = defectsOf(record, versions)
  const { danglingTags } = found ?? noDefects
  const unindexedTags = [...unindexed.withoutRow, ...unindexed.lostRows.map(({ tag }) => tag)]
    // A tag that points to nothing is removed, so it needs no row.
    .filter((tag) => !danglingTags.includes(tag))
    .sort()
  if (!found && unindexedTags.length === 0) return null
  const defects = { ...(found ?? noDefects), unindexedTags }
  const problem = record.revision > 0 ? 'defective' : hasOldTags ? 'unconverted' : 'missing'
  const isPending = problem !== 'unconverted' && defects.withoutLatest && !isSettled
  const hasOthers = [defects.danglingTags, defects.lostVersions, unindexedTags].some(
    ({ length }) => length > 0,
  )
  if (isPending && !hasOthers) return null
  return { ...defects, problem, isRepaired: false }
}

const noDefects: RecordDefects = { danglingTags: [], lostVersions: [], withoutLatest: false }

/** The records of this process cannot write over what they cannot read; the condition is the same as theirs. */
async function rebuildDamaged(
  { store, repair, signal }: RecordChecks,
  ref: DocumentRef,
): Promise<RecordFinding | null> {
  const found = await store.getWhole(recordKey(ref), { bytesMax: limits.recordBytesMax, signal })
  if (!found || found === 'unchanged' || (await storedJson(DocumentRecord, found))) return null
  const finding = { ...noDefects, unindexedTags: [] }
  if (!repair) return { ...finding, problem: 'damaged', isRepaired: false }
  const versions = await versionsOf(store, ref, { signal })
  const record = repaired(recordOfOldTags(new Map(), versions), versions, subject)
  // Higher than that of the damaged one, which replicas may remember: no record is written once per millisecond.
  const rebuilt = sealed({ ...record, revision: Date.now() }, newChangeId())
  const stored = await writeJsonAt(store, recordKey(ref), rebuilt, {
    condition: { etag: found.etag },
    signal,
  })
  return { ...finding, problem: 'damaged', isRepaired: stored !== null }
}
