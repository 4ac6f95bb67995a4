import { type Static, Type } from '@sinclair/typebox'
import type { Scrubbed } from '../../documents/maintenance/scrub.ts'
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

/** How far a scrub has come: what a later run needs to continue, and to report what all runs together found. */
export const ScrubState = Type.Object({
  /** Endpoint, bucket and prefix: keys of another place would skip what was never read. */
  place: Type.String(),
  /** The last key that was read. */
  after: Type.String(),
  versions: Type.Integer(),
  bytes: Type.Integer(),
  damaged: Type.Array(DamagedVersion),
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
export function damagedVersion({ ref, found, size }: Scrubbed): DamagedVersion {
  const { tenant, type, name, digest } = ref
  return { tenant, type, name, declared: digest, found, size }
}

/** Prints a version that is damaged. */
export function reportDamaged(report: Report, version: DamagedVersion): Promise<void> {
  const { tenant, type, name, declared, found, size } = version
  const seen = found === null ? 'cannot be read' : `holds ${found} (${size} bytes)`
  return report({ event: 'damaged', ...version }, `✗ ${tenant} ${type}/${name} ${declared} ${seen}`)
}

/** Prints what all runs together found. @param finished whether every version was read */
export function reportSummary(
  report: Report,
  { after, versions, bytes, damaged }: ScrubState,
  finished: boolean,
): Promise<void> {
  const mark = damaged.length > 0 ? '✗' : finished ? '✓' : '?'
  const counted = `${versions} versions, ${formatBytes(bytes)} read, ${damaged.length} damaged`
  const event = { event: 'summary', finished, after, versions, bytes, damaged: damaged.length }
  return report(event, `${mark} ${counted}${finished ? '' : '; not finished'}`)
}
