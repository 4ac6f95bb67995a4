import { appendFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Suite } from '../suites.ts'
import { countTests, judge, type SuiteResult, type TestCounts } from './suite-result.ts'

const root = resolve(import.meta.dir, '../..')

/** Real servers on a busy machine; what hangs is still found. */
const testMilliseconds = 30_000

export interface SuiteRun {
  env: Record<string, string | undefined>
  /** Folder for the JUnit reports and for all that is printed. */
  folder: string
  /** Aborting ends the suite. */
  signal: AbortSignal
}

/** Runs one suite as a process of its own and shows what it prints. */
export async function runSuite(suite: Suite, run: SuiteRun): Promise<SuiteResult> {
  const started = performance.now()
  const report = join(run.folder, `${suite.name}.xml`)
  const deadline = AbortSignal.timeout(suite.minutesMax * 60_000)
  const child = Bun.spawn(
    [
      process.execPath,
      'test',
      `./tests/${suite.name}/`,
      `--timeout=${testMilliseconds}`,
      '--reporter=junit',
      `--reporter-outfile=${report}`,
    ],
    { cwd: root, env: run.env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  )
  const end = () => child.kill('SIGKILL')
  const stop = AbortSignal.any([deadline, run.signal])
  stop.addEventListener('abort', end)
  const printed = join(run.folder, 'printed', `${suite.name}.log`)
  await Promise.all([tee(child.stdout, process.stdout, printed), tee(child.stderr, process.stderr, printed)])
  const exitCode = await child.exited
  stop.removeEventListener('abort', end)
  const verdict = judge(await readCounts(report), await testFiles(suite.name), exitCode)
  if (deadline.aborted) verdict.remarks.push(`stopped after ${suite.minutesMax} minutes`)
  const minutes = (performance.now() - started) / 60_000
  return { suite: suite.name, store: suite.store, minutes, ...verdict }
}

/** Test files of a suite as paths below the root, the way reports name them; ascending. */
export async function testFiles(suite: string): Promise<string[]> {
  const found = await Array.fromAsync(new Bun.Glob(`tests/${suite}/**/*.test.ts`).scan(root))
  return found.sort()
}

async function readCounts(report: string): Promise<TestCounts> {
  const junit = await readFile(report, 'utf8').catch(() => null)
  return junit === null ? { passed: 0, failed: 0, skipped: 0, files: [] } : countTests(junit)
}

async function tee(stream: ReadableStream<Uint8Array>, shown: NodeJS.WriteStream, file: string) {
  for await (const bytes of stream) {
    shown.write(bytes)
    appendFileSync(file, bytes)
  }
}
