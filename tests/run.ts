/**
 * `bun run test [suite…]`: installs what the suites need, runs them against real servers, searches all that was
 * printed for secrets, and ends with one line: `N passed, N failed, N skipped`.
 */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningMinio } from '../compose/servers/minio.ts'
import { meetNeed, type NeedAnswer, type NeedName } from './runner/needs.ts'
import { findLeaks } from './runner/redaction-sweep.ts'
import { runSuite } from './runner/run-suite.ts'
import { exitCodeOf, resultTable, type SuiteResult, summaryLine } from './runner/suite-result.ts'
import { startPrivateStore, storeEnvironment } from './servers/store.ts'
import { type Suite, suites } from './suites.ts'

const inCi = process.env.CI === 'true'
const interrupted = new AbortController()
process.on('SIGINT', () => interrupted.abort())
process.on('SIGTERM', () => interrupted.abort())
process.exitCode = await main(process.argv.slice(2))

async function main(asked: string[]): Promise<number> {
  const unknown = asked.filter((name) => !suites.some((suite) => suite.name === name))
  if (unknown.length > 0) {
    console.error(
      `no such suite: ${unknown.join(', ')}; there are ${suites.map(({ name }) => name).join(', ')}`,
    )
    return 64
  }
  const chosen = suites.filter(({ name }) => asked.length === 0 || asked.includes(name))
  const folder = await mkdtemp(join(tmpdir(), 'cloudlysis-tests-'))
  try {
    const results = await runAll(chosen, folder).catch((error) => [brokenRun(error)])
    for (const { suite, remarks } of results) for (const remark of remarks) console.log(`${suite}: ${remark}`)
    console.log(`\n${resultTable(results)}\n`)
    console.log(summaryLine(results))
    return interrupted.signal.aborted ? 130 : exitCodeOf(results, inCi)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runAll(chosen: Suite[], folder: string): Promise<SuiteResult[]> {
  const answers = await meetNeeds(chosen)
  await mkdir(join(folder, 'printed'))
  await writeFile(join(folder, 'secrets'), '', { mode: 0o600 })
  // This process registers secrets too.
  process.env.TEST_SECRETS_FILE = join(folder, 'secrets')
  const runnable = chosen.filter((suite) => suite.needs.every((need) => answers.get(need) === null))
  const store = runnable.some(({ needs }) => needs.includes('minio')) ? await startPrivateStore() : null
  const env = {
    ...process.env,
    ...(store === null ? {} : storeEnvironment(store)),
    TEST_PRINTED_FOLDER: join(folder, 'printed'),
  }
  const results: SuiteResult[] = []
  for (const suite of chosen) {
    if (interrupted.signal.aborted) break
    if (!runnable.includes(suite)) results.push(cannotRun(suite, answers))
    else results.push(await runSuite(suite, { env, folder, signal: interrupted.signal }))
  }
  await stopStore(store, folder)
  if (!interrupted.signal.aborted) results.push(await sweep(folder))
  return results
}

async function meetNeeds(chosen: Suite[]): Promise<Map<NeedName, NeedAnswer>> {
  const answers = new Map<NeedName, NeedAnswer>()
  for (const need of new Set(chosen.flatMap(({ needs }) => needs))) answers.set(need, await meetNeed(need))
  return answers
}

/** Counts as one skipped test: the suite would have run, here or with one more package. */
function cannotRun(suite: Suite, answers: Map<NeedName, NeedAnswer>): SuiteResult {
  const missing = suite.needs.map((need) => answers.get(need) ?? null).filter((answer) => answer !== null)
  const remarks = missing.map(({ why, line }) => `cannot run: ${why}\n  to enable it: ${line}`)
  return { suite: suite.name, store: suite.store, passed: 0, failed: 0, skipped: 1, minutes: 0, remarks }
}

/** The run itself failed, such as when the shared store does not come up: one failure that no suite stands for. */
function brokenRun(error: unknown): SuiteResult {
  const remarks = [error instanceof Error ? error.message : String(error)]
  return { suite: 'the run', store: 'none', passed: 0, failed: 1, skipped: 0, minutes: 0, remarks }
}

async function stopStore(store: RunningMinio | null, folder: string): Promise<void> {
  if (store === null) return
  await copyFile(store.logFile, join(folder, 'printed/minio.log'))
  await store.stop()
}

/** The test that no secret of this run was printed by anything in it. */
async function sweep(folder: string): Promise<SuiteResult> {
  const started = performance.now()
  const remarks: string[] = []
  try {
    const secrets = (await readFile(join(folder, 'secrets'), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
    const leaks = await findLeaks(join(folder, 'printed'), secrets)
    remarks.push(...leaks.map(({ file, line, secret }) => `secret ${secret} stands in ${file}, line ${line}`))
  } catch (error) {
    remarks.push(error instanceof Error ? error.message : String(error))
  }
  const failed = remarks.length > 0 ? 1 : 0
  const minutes = (performance.now() - started) / 60_000
  return { suite: 'redaction', store: 'none', passed: 1 - failed, failed, skipped: 0, minutes, remarks }
}
