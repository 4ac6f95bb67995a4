import { readdir, readFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { byteWindows, lineFeeds } from '../checks/byte-windows.ts'
import { secretBytesMax } from '../checks/secret-forms.ts'
import { secretsInWindow } from '../checks/secret-search.ts'
import { expectationOf } from './expected-prints.ts'
import { createNeedleSearch, type Needle } from './needle-search.ts'
import type { SuiteResult } from './suite-result.ts'

/** Shorter parts would be found by chance. */
const formLengthMin = 16

/** More would hide what else failed. */
const leaksShownMax = 30

/** A secret in something that was printed, without the secret itself. */
export interface Leak {
  /** Path of the file with what was printed. */
  file: string
  /** Counted from 1. */
  line: number
  /** `secret 3`, counted from 1 in the order of registration, or its form, such as `a bearer token`. */
  what: string
}

export interface Sweep {
  /** Each secret once in a file, and each form on each line. */
  leaks: Leak[]
  /** How often something looked like a secret where that is right, by the reason. */
  expected: Map<string, number>
  /** How much was searched. */
  bytes: number
}

/**
 * Tests that nothing in this run printed a secret: neither one of those in the file `secrets` of the folder, nor
 * anything that looks like one. It counts as a suite of one test, and prints which finds were expected and why.
 *
 * @param folder of the run, with everything that was printed in `printed`.
 */
export async function sweepPrinted(
  folder: string,
  show: (text: string) => void = console.log,
): Promise<SuiteResult> {
  const started = performance.now()
  const printed = join(folder, 'printed')
  const remarks: string[] = []
  try {
    const secrets = (await readFile(join(folder, 'secrets'), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
    const { leaks, expected, bytes } = await findLeaks(printed, secrets)
    const mebibytes = (bytes / 1024 / 1024).toFixed(1)
    show(`redaction: searched ${mebibytes} MiB for ${new Set(secrets).size} secrets and by form`)
    for (const [why, count] of expected) show(`redaction: ${count} times as expected: ${why}`)
    remarks.push(
      ...leaks
        .slice(0, leaksShownMax)
        .map(({ file, line, what }) => `${what} stands in ${relative(printed, file)}, line ${line}`),
    )
    if (leaks.length > leaksShownMax) remarks.push(`… and ${leaks.length - leaksShownMax} more`)
  } catch (error) {
    remarks.push(error instanceof Error ? error.message : String(error))
  }
  const failed = remarks.length > 0 ? 1 : 0
  const minutes = (performance.now() - started) / 60_000
  return { suite: 'redaction', store: 'none', passed: 1 - failed, failed, skipped: 0, minutes, remarks }
}

/**
 * Searches every file below `folder`, reading each once. For every secret that the tests registered, in the forms in
 * which it may be printed: as it is, percent-encoded, in base64, and for a token also its signature alone. It also
 * searches for everything that looks like a secret (`checks/secret-forms.ts`).
 *
 * @throws {Error} if there is nothing to search, or nothing to search for: the search would prove nothing.
 */
export async function findLeaks(folder: string, secrets: readonly string[]): Promise<Sweep> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  if (files.every((file) => Bun.file(file).size === 0))
    throw new Error('nothing was printed, so there is nothing to search')
  if (secrets.length === 0) throw new Error('no secret was registered, so there is nothing to search for')
  const needles = [...new Set(secrets)].flatMap((secret, index) => needlesOf(secret, index + 1))
  const around = Math.max(secretBytesMax, ...needles.map(({ bytes }) => bytes.length))
  const findNeedles = createNeedleSearch(needles)
  const sweep: Sweep = { leaks: [], expected: new Map(), bytes: 0 }
  for (const file of files.sort()) {
    const leaks = new Map<string, Leak>()
    for await (const window of byteWindows(Bun.file(file).stream(), around)) {
      sweep.bytes += window.to - window.from
      for (const { at, secret } of findNeedles(window)) {
        const what = `secret ${secret}`
        if (leaks.has(what)) continue
        // It may begin before this window.
        const before = lineFeeds(window.bytes, 0, at) - lineFeeds(window.bytes, 0, window.from)
        leaks.set(what, { file, line: window.linesBefore + before + 1, what })
      }
      for (const { form, lineNumber, line } of secretsInWindow(window)) {
        const expectation = expectationOf({ file: basename(file), form, line })
        if (expectation === undefined) {
          leaks.set(`${form} ${lineNumber}`, { file, line: lineNumber, what: form })
        } else {
          sweep.expected.set(expectation.why, (sweep.expected.get(expectation.why) ?? 0) + 1)
        }
      }
    }
    sweep.leaks.push(...leaks.values())
  }
  return sweep
}

function needlesOf(secret: string, number: number): Needle[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '')
  const signature = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(secret)?.[1] ?? ''
  const forms = [secret, encodeURIComponent(secret), base64, signature]
  return [...new Set(forms)]
    .filter((form) => form.length >= formLengthMin)
    .map((form) => ({ bytes: Buffer.from(form), secret: number }))
}
