import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { DamagedVersion } from './scrub-report.ts'

/** How far a scrub has come: what a later run needs to go on, and to say what all of it together found. */
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

/** The state is in no form that can be used; the message says why. */
export class ScrubStateError extends Error {
  override readonly name = 'ScrubStateError'
}

/**
 * @returns `null` if there is no such file: the scrub begins at the first key.
 * @throws {ScrubStateError} for a file that is no state, or that of another bucket.
 */
export async function readState(file: string, place: string): Promise<ScrubState | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new ScrubStateError(`the state file cannot be read (${error.code})`)
  })
  if (text === null) return null
  const state = parseState(text)
  if (state.place === place) return state
  throw new ScrubStateError(`the state file belongs to ${state.place}, this is ${place}: take another file`)
}

/** Replaces the file as a whole: a crash leaves the old state or the new one. */
export async function writeState(file: string, state: ScrubState): Promise<void> {
  const next = `${file}.${process.pid}.tmp`
  await writeFile(next, `${JSON.stringify(state)}\n`, { mode: 0o600, flush: true })
  await rename(next, file)
}

/** After a finished scrub: the next one begins anew. */
export async function removeState(file: string): Promise<void> {
  await rm(file, { force: true })
}

function parseState(text: string): ScrubState {
  try {
    const state: unknown = JSON.parse(text)
    if (Value.Check(ScrubState, state)) return state
  } catch {
    // Said below, for all that is no state.
  }
  throw new ScrubStateError('the state file is not one that a scrub wrote: remove it or take another')
}
