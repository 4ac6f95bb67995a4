import { appendFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Keeps what a server or program printed in a test, so that the runner's search for secrets sees it. What the
 * test process prints itself is searched anyway. Outside the runner this does nothing.
 *
 * @param name what printed it, such as `service`.
 */
export function keepPrinted(name: string, text: string | Uint8Array): void {
  if (process.env.TEST_PRINTED_FOLDER !== undefined) appendFileSync(printedFile(name), text)
}

/** Path of the file for {@link keepPrinted}: for a server that is to write there by itself. */
export function printedFile(name: string): string {
  const folder = process.env.TEST_PRINTED_FOLDER ?? join(tmpdir(), 'cloudlysis-printed')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return join(folder, `${name}-${process.pid}.log`)
}
