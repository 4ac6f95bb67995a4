import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { UsageError } from './command.ts'

/** How often a state is written: what is repeated after a crash costs less than a flush to disk for each step. */
export const stateIntervalMs = 1000

/**
 * Reads what an earlier run of the same command has left.
 *
 * @returns `null` if there is no such file.
 * @throws {UsageError} for a file that is no such state.
 */
export async function readStateFile<Schema extends TSchema>(
  file: string,
  schema: Schema,
): Promise<Static<Schema> | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new UsageError(`the state file cannot be read (${error.code})`)
  })
  if (text === null) return null
  try {
    const state: unknown = JSON.parse(text)
    if (Value.Check(schema, state)) return state
  } catch {
    // Refused below, like everything that is no state.
  }
  throw new UsageError('the state file is not one that this command wrote: remove it or choose another file')
}

/** Replaces the file as a whole (mode 0600): a crash leaves the old state or the new one. */
export async function writeStateFile(file: string, state: object): Promise<void> {
  const next = `${file}.${process.pid}.tmp`
  await writeFile(next, `${JSON.stringify(state)}\n`, { mode: 0o600, flush: true })
  await rename(next, file)
}

/** Removes the file after a finished run, so that the next one begins again. */
export async function removeStateFile(file: string): Promise<void> {
  await rm(file, { force: true })
}
