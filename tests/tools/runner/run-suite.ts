import { appendFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { failedTests, unexplained } from './failed-tests.ts'
import {
  countTests,
  judge,
  notedIn,
  type SuiteResult,
  type SuiteVerdict,
  type TestCounts,
} from './suite-result.ts'
import { type SuiteRun, titleOf } from './suite-runs.ts'

const repository = resolve(import.meta.dir, '../../..')

/** How long one test, and one suite, may take. */
export interface TimeLimits {
  testSecondsMax: number
  suiteMinutesMax: number
}

/**
 * Both only catch what hangs: they leave a machine that is many times slower than an idle one the time that it needs. CI ends
 * the whole run after 90 minutes.
 */
const usualLimits: TimeLimits = { testSecondsMax: 180, suiteMinutesMax: 60 }

/** Those of `bun run test:long`, whose longest test lasts an hour. */
export const longLimits: TimeLimits = { testSecondsMax: 4 * 3600, suiteMinutesMax: 12 * 60 }

export interface RunSurroundings {
  env: Record<string, string | undefined>
  /** Folder for the JUnit reports and for all that is printed. */
  folder: string
  /** Aborting ends the suite. */
  signal: AbortSignal
  /** The folder that paths of files are relative to; default: this repository. */
  root?: string
  /** After these the test has failed, or the suite is ended and has failed; default: 180 seconds and 60 minutes. */
  limits?: TimeLimits
  /** Shows what was printed; default: on standard output. */
  show?: (text: string) => void
}

/**
 * Runs one suite on one store as a process of its own. What it prints is shown as a whole at its end, because other suites
 * run at the same time.
 *
 * @returns the counts of its tests, those that failed, and how long it took.
 */
export async function runSuite(
  run: SuiteRun,
  { env, folder, signal, root = repository, limits = usualLimits, show = showHere }: RunSurroundings,
): Promise<SuiteResult> {
  const started = performance.now()
  const name = `${run.suite}-${run.store}`
  // The report is searched for secrets, too.
  const report = join(folder, 'printed', `${name}.xml`)
  const deadline = AbortSignal.timeout(limits.suiteMinutesMax * 60_000)
  const child = Bun.spawn(
    [
      process.execPath,
      'test',
      // Only a path that begins like this is a file; anything else is a pattern, and no path means every test.
      ...run.files.map((file) => `./${file}`),
      `--timeout=${limits.testSecondsMax * 1000}`,
      '--reporter=junit',
      `--reporter-outfile=${report}`,
    ],
    { cwd: root, env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  )
  const end = () => child.kill('SIGKILL')
  const stop = AbortSignal.any([deadline, signal])
  stop.addEventListener('abort', end)
  const printed = join(folder, 'printed', `${name}.log`)
  show(`${run.suite} on ${titleOf(run.store)}: begins\n`)
  await Promise.all([keep(child.stdout, printed), keep(child.stderr, printed)])
  const exitCode = await child.exited
  const output = await readFile(printed, 'utf8').catch(() => '')
  show(output)
  stop.removeEventListener('abort', end)
  const junit = await readFile(report, 'utf8').catch(() => null)
  // Bun writes its report at the very end, if a test ran: after a signal there is none.
  const died = junit === null && exitCode > 128
  const verdict = died ? ended(exitCode) : judge(countsOf(junit), run.files, exitCode)
  if (deadline.aborted) verdict.remarks = [`stopped after ${limits.suiteMinutesMax} minutes`]
  const minutes = (performance.now() - started) / 60_000
  return {
    ...{ suite: run.suite, store: titleOf(run.store), minutes, ...verdict },
    noted: notedIn(output),
    tests: junit === null ? [] : failedTests(junit),
    unexplained: verdict.remarks.length > 0 ? unexplained(output, died) : '',
  }
}

function countsOf(junit: string | null): TestCounts {
  return junit === null ? { passed: 0, failed: 0, skipped: 0, files: [] } : countTests(junit)
}

function ended(exitCode: number): SuiteVerdict {
  return {
    passed: 0,
    failed: 1,
    skipped: 0,
    remarks: [`it ended with ${exitCode}, before the last of its tests`],
  }
}

function showHere(text: string) {
  process.stdout.write(text)
}

async function keep(stream: ReadableStream<Uint8Array>, file: string) {
  for await (const bytes of stream) appendFileSync(file, bytes)
}
