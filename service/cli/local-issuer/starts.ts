import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Environment } from '../../config/parse.ts'
import { IncompleteError, UsageError } from '../command.ts'
import { isAlive } from '../temp-folder.ts'
import type { SigningKey } from './access-token.ts'

/** What a running `start` leaves for the other commands, in a file that only its owner can read. */
export type LocalStart = Static<typeof localStart>

const localStart = Type.Object({
  /** Where the service answers. */
  url: Type.String(),
  issuer: Type.String(),
  audience: Type.String(),
  /** The local issuer's private key. */
  jwk: Type.Unsafe<SigningKey>(Type.Object({ kty: Type.String(), kid: Type.String() })),
  /** RFC 3339, UTC. */
  startedAt: Type.String(),
  /**
   * `S3_*` variables of the store that the start brought up itself; secrets are named as files. None where
   * S3_ENDPOINT was given: those keys are their owner's.
   */
  store: Type.Optional(Type.Unsafe<Environment>(Type.Record(Type.String(), Type.String()))),
  /** Process that serves; the file is stale once it is gone. */
  pid: Type.Integer({ minimum: 1 }),
})

/** `.local/` of this checkout. */
export const localFolder: string = fileURLToPath(new URL('../../../.local', import.meta.url))

const fileForm = /^start-(\d{1,5})\.json$/

/** Writes `<folder>/start-<port>.json` in one step (0600, folder 0700). */
export async function writeLocalStart(port: number, start: LocalStart, folder = localFolder): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // An older folder may be more open than `mkdir` would have made it.
  await chmod(folder, 0o700)
  const file = fileOf(folder, port)
  const unfinished = `${file}.${crypto.randomUUID()}`
  await writeFile(unfinished, `${JSON.stringify(start, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  await rename(unfinished, file)
}

/** Removes the file of the start on `port`; an absent one is success. */
export async function removeLocalStart(port: number, folder = localFolder): Promise<void> {
  await rm(fileOf(folder, port), { force: true })
}

/**
 * Returns the starts whose process is alive, by port, ascending. Files of processes that are gone, and files that are
 * not in the form, are left out.
 */
export async function readLocalStarts(folder = localFolder): Promise<Map<number, LocalStart>> {
  const ports = (await namesIn(folder))
    .map((name) => Number(fileForm.exec(name)?.[1]))
    .filter((port) => !Number.isNaN(port))
  const starts = new Map<number, LocalStart>()
  for (const port of ports.sort((a, b) => a - b)) {
    const start = await readStart(fileOf(folder, port))
    if (start && isAlive(start.pid)) starts.set(port, start)
  }
  return starts
}

/**
 * Returns the start on `port`, or the only one where no port is given.
 *
 * @param otherwise what the user could do instead, such as `, or give --url`
 * @throws {UsageError} where several run and no port chooses one.
 * @throws {IncompleteError} where no start runs there.
 */
export function chooseStart(
  starts: ReadonlyMap<number, LocalStart>,
  port: number | undefined,
  otherwise = '',
): LocalStart {
  const ports = [...starts.keys()].join(', ')
  if (port === undefined && starts.size > 1) {
    throw new UsageError(`several starts are running, choose with --port: ${ports}`)
  }
  const chosen = port === undefined ? starts.values().next().value : starts.get(port)
  if (chosen) return chosen
  const where = port === undefined ? '' : ` on port ${port}`
  const running = starts.size > 0 ? `; running on ${ports}` : ''
  throw new IncompleteError(`no start is running${where}${running}: run "bun run start" first${otherwise}`)
}

async function readStart(file: string): Promise<LocalStart | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'))
    return Value.Check(localStart, content) ? content : undefined
  } catch {
    // Removed since it was listed, or not JSON: not a start that can be used.
    return undefined
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return []
    throw error
  }
}

function fileOf(folder: string, port: number): string {
  return join(folder, `start-${port}.json`)
}
