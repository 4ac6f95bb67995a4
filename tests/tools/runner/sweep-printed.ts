import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { findLeaks } from './redaction-sweep.ts'
import type { SuiteResult } from './suite-result.ts'

/** More would hide what else failed. */
const leaksShownMax = 30

/**
 * The test that nothing in this run printed a secret: neither one of those in the file `secrets` of the folder, nor
 * anything that looks like one. It counts as a suite of one test, and prints what it took for right and why.
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
