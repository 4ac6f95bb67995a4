import { appendFileSync, existsSync, linkSync, mkdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Keeps what a server or program printed in a test, so that the runner's search for secrets sees it. What the
 * test process prints itself is searched anyway. Outside the runner this does nothing.
 *
 * @param name what printed it, such as `service`.
 */
export function keepPrinted(name: string, text: string | Uint8Array): void {
  if (process.env.TEST_PRINTED_FOLDER !== undefined) appendFileSync(printedFile(name), text)
}

/** Returns the file of {@link keepPrinted}, for a server that writes there itself. */
export function printedFile(name: string): string {
  const folder = process.env.TEST_PRINTED_FOLDER ?? join(tmpdir(), 'cloudlysis-printed')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return join(folder, `${name}-${process.pid}.log`)
}

/**
 * Keeps the log file of a server that removes it when it stops: gives the file a second name, so that everything that is
 * written there later is kept, too. It can be called again.
 *
 * @throws {Error} if the two folders are on different file systems.
 */
export function keepLogFile(name: string, logFile: string): void {
  const folder = process.env.TEST_PRINTED_FOLDER
  if (folder === undefined || dirname(logFile) === folder) return
  const kept = printedFile(`${name.replaceAll(/\W+/g, '-')}-${statSync(logFile).ino}`)
  if (!existsSync(kept)) linkSync(logFile, kept)
}
