import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mustRun } from '../../compose/run-command.ts'
import { aptInstall } from '../support/apt.ts'
import type { Work } from './comparison.ts'

const script = fileURLToPath(new URL('load.lua', import.meta.url))
/** Longer than any answer here takes, so that a slow one is not counted as lost. */
const answerSecondsMax = 60

/** Requests for wrk: over and over, as fast as `connections` allow, for `seconds`. */
export interface WrkLoad {
  method: 'GET' | 'PUT' | 'POST'
  origin: string
  /** With their queries; taken in turn. */
  paths: readonly string[]
  token?: string
  ifNoneMatch?: string
  /** File to send; every request gets a body of its own. */
  bodyFile?: string
  connections: number
  seconds: number
}

export interface WrkResult {
  requests: number
  /** Everything received, headers included. */
  bytes: number
  seconds: number
}

/**
 * Makes sure that wrk is there, installing it where that is allowed.
 *
 * @throws {Error} with the line to type, where it is not.
 */
export async function requireWrk(): Promise<void> {
  if (Bun.which('wrk') !== null) return
  try {
    await aptInstall(['wrk'])
  } catch (cause) {
    throw new Error('wrk is missing: sudo apt-get install --yes wrk', { cause })
  }
}

/**
 * Runs wrk, a process of its own, in one thread.
 *
 * @param folder for the file of paths, which are credentials where they are signed.
 * @throws {Error} if any answer was 4xx or 5xx, or a connection failed: rates of failures say nothing.
 */
export async function runWrk(load: WrkLoad, folder: string): Promise<WrkResult> {
  const pathsFile = join(folder, 'paths')
  await writeFile(pathsFile, load.paths.join('\n'), { mode: 0o600 })
  const printed = await mustRun(
    [
      'wrk',
      '--threads=1',
      `--connections=${load.connections}`,
      `--duration=${load.seconds}s`,
      `--timeout=${answerSecondsMax}s`,
      `--script=${script}`,
      load.origin,
    ],
    {
      env: {
        PATH: process.env.PATH ?? '',
        LOAD_METHOD: load.method,
        LOAD_PATHS: pathsFile,
        LOAD_TOKEN: load.token ?? '',
        LOAD_IF_NONE_MATCH: load.ifNoneMatch ?? '',
        LOAD_NONCE: randomBytes(8).toString('hex'),
        ...(load.bodyFile === undefined ? {} : { LOAD_BODY: load.bodyFile }),
      },
    },
  )
  return readResult(printed)
}

/** Runs wrk as {@link runWrk} does, and counts its requests. */
export async function requestsOf(load: WrkLoad, folder: string): Promise<Work> {
  const { requests, seconds } = await runWrk(load, folder)
  return { amount: requests, seconds }
}

function readResult(printed: string): WrkResult {
  const line = printed.split('\n').find((each) => each.startsWith('result ')) ?? ''
  const numbers = new Map(
    [...line.matchAll(/(\w+)=(\d+)/g)].map(([, name = '', value]) => [name, Number(value)]),
  )
  const failures = ['status', 'connect', 'read', 'write', 'timeout'].filter((kind) => numbers.get(kind) !== 0)
  const requests = numbers.get('requests') ?? 0
  const bytes = numbers.get('bytes') ?? 0
  // Of large answers none may have ended in a short run.
  if (failures.length > 0 || bytes === 0) throw new Error(`the load failed: ${line || printed}`)
  return { requests, bytes, seconds: (numbers.get('microseconds') ?? 0) / 1e6 }
}
