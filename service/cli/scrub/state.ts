import { type Static, Type } from '@sinclair/typebox'
import type { ScrubbedRecord, ScrubbedVersion } from '../../documents/maintenance/scrub.ts'
import { UsageError } from '../command.ts'
import { formatBytes, type Report } from '../output.ts'
import { readStateFile } from '../state-file.ts'

/** A version whose bytes are not those of its digest. */
export const DamagedVersion = Type.Object({
  tenant: Type.String(),
  type: Type.String(),
  name: Type.String(),
  declared: Type.String(),
  /** The digest of the stored bytes; `null` where the store did not return them. */
  found: Type.Union([Type.String(), Type.Null()]),
  size: Type.Integer(),
})
export type DamagedVersion = Static<typeof DamagedVersion>

/** A record that does not say what the versions of its document say. */
export const WrongRecord = Type.Object({
  tenant: Type.String(),
  type: Type.String(),
  name: Type.String(),
  problem: Type.Union([
    ...[Type.Literal('missing'), Type.Literal('unconverted')],
    ...[Type.Literal('damaged'), Type.Literal('defective')],
  ]),
  danglingTags: Type.Array(Type.String()),
  /** Absent in a state that was kept before there was an index of tags. */
  unindexedTags: Type.Optional(Type.Array(Type.String())),
  lostVersions: Type.Array(Type.String()),
  withoutLatest: Type.Boolean(),
  isRepaired: Type.Boolean(),
})
export type WrongRecord = Static<typeof WrongRecord>

/** How far a scrub has come: what a later run needs to continue, and to report what all runs together found. */
export const ScrubState = Type.Object({
  /** Endpoint, bucket and prefix: keys of another place would skip what was never read. */
  place: Type.String(),
  /** The last key that was read. */
  after: Type.String(),
  versions: Type.Integer(),
  bytes: Type.Integer(),
  damaged: Type.Array(DamagedVersion),
  /** Absent in a state that was kept before there were records. */
  records: Type.Optional(Type.Integer()),
  wrongRecords: Type.Optional(Type.Array(WrongRecord)),
  /** Rows of the index of tags that no record names. */
  unnamedRows: Type.Optional(Type.Integer()),
})
export type ScrubState = Static<typeof ScrubState>

/**
 * Reads what an earlier run has left.
 *
 * @returns `null` if there is no such file: the scrub begins at the first key.
 * @throws {UsageError} for a file that is no state, or that of another bucket.
 */
export async function readScrubState(file: string, place: string): Promise<ScrubState | null> {
  const state = await readStateFile(file, ScrubState)
  if (state === null || state.place === place) return state
  throw new UsageError(`the state file belongs to ${state.place}, this is ${place}: choose another file`)
}

/** Returns what is kept and printed of a version that is damaged. */
export function damagedVersion({ ref, found, size }: ScrubbedVersion): DamagedVersion {
  const { tenant, type, name, digest } = ref
  return { tenant, type, name, declared: digest, found, size }
}

/** Prints a version that is damaged. */
export function reportDamaged(report: Report, version: DamagedVersion): Promise<void> {
  const { tenant, type, name, declared, found, size } = version
  const seen = found === null ? 'cannot be read' : `holds ${found} (${size} bytes)`
  return report({ event: 'damaged', ...version }, `✗ ${tenant} ${type}/${name} ${declared} ${seen}`)
}

/** Returns what is kept and printed of a record that is wrong; `null` for one that is not. */
export function wrongRecord({ ref, finding }: ScrubbedRecord): WrongRecord | null {
  return finding && { ...ref, ...finding }
}

/** Prints a record that is wrong, and whether it was repaired. */
export function reportWrongRecord(report: Report, record: WrongRecord): Promise<void> {
  const { tenant, type, name, problem, danglingTags, lostVersions, withoutLatest, isRepaired } = record
  const { unindexedTags = [] } = record
  const wrong = {
    missing: ['has versions and no record'],
    unconverted: ['has tags of the old layout and no record: "convert" makes it'],
    damaged: ['has a damaged record: its tags other than latest are lost'],
    defective: [
      ...danglingTags.map((tag) => `tag ${tag} points to nothing`),
      ...lostVersions.map((digest) => `${digest} is gone without having been deleted`),
      ...unindexedTags.map((tag) => `tag ${tag} is not in the index`),
      ...(withoutLatest ? ['has versions and no latest'] : []),
    ],
  }[problem]
  const end = isRepaired ? '; repaired' : ''
  return report(
    { event: 'record', ...record },
    `${isRepaired ? '–' : '✗'} ${tenant} ${type}/${name} ${wrong.join('; ')}${end}`,
  )
}

/** Returns how many records are wrong and not repaired. */
export function unrepaired({ wrongRecords = [] }: ScrubState): number {
  return wrongRecords.filter(({ isRepaired }) => !isRepaired).length
}

/** Prints what all runs together found. @param finished whether everything was read */
export function reportSummary(report: Report, state: ScrubState, finished: boolean): Promise<void> {
  const { after, versions, bytes, damaged, records = 0, wrongRecords = [], unnamedRows = 0 } = state
  const wrong = unrepaired(state)
  const mark = damaged.length + wrong > 0 ? '✗' : finished ? '✓' : '?'
  const repaired = wrongRecords.length - wrong
  const ofRecords = `${records} records, ${wrong} wrong${repaired > 0 ? `, ${repaired} repaired` : ''}`
  const ofRows = unnamedRows > 0 ? `; ${unnamedRows} rows of the index that no record needs` : ''
  const counted = `${versions} versions, ${formatBytes(bytes)} read, ${damaged.length} damaged; ${ofRecords}${ofRows}`
  const counts = {
    versions,
    bytes,
    damaged: damaged.length,
    records,
    wrongRecords: wrong,
    repaired,
    unnamedRows,
  }
  return report(
    { event: 'summary', finished, after, ...counts },
    `${mark} ${counted}${finished ? '' : '; not finished'}`,
  )
}
