import { type Static, Type } from '@sinclair/typebox'
import { UsageError } from '../command.ts'
import { readStateFile } from '../state-file.ts'
import { DamagedVersion } from './report.ts'

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
