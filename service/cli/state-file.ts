import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** The state is in no form that can be used; the message says why. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError'
}

/**
 * Reads what an earlier run of the same command has left.
 *
 * @returns `null` if there is no such file.
 * @throws {StateFileError} for a file that is no such state.
 */
export async function readStateFile<Schema extends TSchema>(
  file: string,
  schema: Schema,
): Promise<Static<Schema> | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new StateFileError(`the state file cannot be read (${error.code})`)
  })
  if (text === null) return null
  try {
    const state: unknown = JSON.parse(text)
    if (Value.Check(schema, state)) return state
  } catch {
    // Said below, for all that is no state.
  }
  throw new StateFileError('the state file is not one that this command wrote: remove it or take another')
}

/** Replaces the file as a whole: a crash leaves the old state or the new one. */
export async function writeStateFile(file: string, state: object): Promise<void> {
  const next = `${file}.${process.pid}.tmp`
  await writeFile(next, `${JSON.stringify(state)}\n`, { mode: 0o600, flush: true })
  await rename(next, file)
}

/** After a finished run: the next one begins anew. */
export async function removeStateFile(file: string): Promise<void> {
  await rm(file, { force: true })
}
