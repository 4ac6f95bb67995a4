/**
 * `bun run test [suite…] [--store <name>]`: installs what the suites need, runs each of them against every store
 * that it is for, searches all that was printed for secrets, and ends with one line:
 * `N passed, N failed, N skipped`. `bun run test:long` does so with the tests that take a size, at their full one.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isTestStore, testStores } from '../support/stores/store.ts'
import { ownFigures, readFigures } from './readme/promise-table.ts'
import { failureReport } from './runner/failure-report.ts'
import { figuresIn, latestFigures } from './runner/figures.ts'
import { meetNeed, type NeedAnswer, type NeedName } from './runner/needs.ts'
import { sweepPrinted } from './runner/redaction-sweep.ts'
import { createRunStores, type RunStores } from './runner/run-stores.ts'
import { longLimits, runSuite } from './runner/run-suite.ts'
import { exitCodeOf, resultTable, type SuiteResult, summaryLine } from './runner/suite-result.ts'
import { runsOf, type SuiteRun, titleOf } from './runner/suite-runs.ts'
import { suites } from './suites.ts'

/** As for all commands (docs/commands.md). */
const wrongUsage = 2
/**
 * How many suites run at a time. Two that work fill two cores, and more would make tests wait for each other; one
 * that mostly waits needs a third of a core and runs next to them.
 */
const lanes = ['works', 'works', 'waits'] as const
type Lane = (typeof lanes)[number]
/** Whether this is `bun run test:long`. */
const long = process.argv.includes('--long')
const inCi = process.env.CI === 'true'
const interrupted = new AbortController()
process.on('SIGINT', () => interrupted.abort())
process.on('SIGTERM', () => interrupted.abort())
process.exitCode = await main()

async function main(): Promise<number> {
  const runs = await chosenRuns()
  if (typeof runs === 'string') {
    console.error(runs)
    return wrongUsage
  }
  const folder = await mkdtemp(join(tmpdir(), 'cloudlysis-tests-'))
  const started = performance.now()
  try {
    const results = await runAll(runs, folder).catch((error) => [brokenRun(error)])
    for (const { suite, store, failed, remarks } of results)
      if (failed === 0) for (const remark of remarks) console.log(`${suite} (${store}): ${remark}`)
    const report = failureReport(results)
    if (report !== '') console.log(`\n${report}`)
    const minutes = ((performance.now() - started) / 60_000).toFixed(1)
    const noted = results.flatMap(({ suite, store, noted = [] }) =>
      noted.map((line) => `${suite} on ${store} | ${line}`),
    )
    if (noted.length > 0) console.log(`\nSizes, seeds and figures:\n${noted.join('\n')}`)
    await keepFigures(results)
    console.log(`\n${resultTable(results)}\n\n${minutes} minutes in all\n`)
    console.log(summaryLine(results))
    return interrupted.signal.aborted ? 130 : exitCodeOf(results, inCi)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Keeps the figures of this run for `bun run readme`. */
async function keepFigures(results: readonly SuiteResult[]): Promise<void> {
  const run = { size: long ? 'long' : 'test', date: new Date().toISOString().slice(0, 10) } as const
  const latest = latestFigures(readFigures(ownFigures), figuresIn(results, run))
  await Bun.write(ownFigures, `${JSON.stringify(latest, null, 2)}\n`)
}

/** Returns the runs that the command line asks for, or a sentence about what is wrong with it. */
async function chosenRuns(): Promise<SuiteRun[] | string> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { store: { type: 'string' }, long: { type: 'boolean' } },
  })
  const unknown = positionals.filter((name) => !suites.some((suite) => suite.name === name))
  if (unknown.length > 0)
    return `no such suite: ${unknown.join(', ')}; there are ${suites.map(({ name }) => name).join(', ')}`
  const { store } = values
  if (store !== undefined && !isTestStore(store))
    return `no such store: ${store}; there are ${Object.keys(testStores).join(', ')}`
  const chosen = suites.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const runs = (await Promise.all(chosen.map((suite) => runsOf(suite, { only: store, long })))).flat()
  if (runs.length > 0) return runs
  const names = positionals.length > 0 ? positionals.join(', ') : 'no suite'
  return long ? `${names}: no test takes a size` : `${names} does not run on ${store}`
}

async function runAll(runs: SuiteRun[], folder: string): Promise<SuiteResult[]> {
  const answers = await meetNeeds(runs)
  const printed = join(folder, 'printed')
  await mkdir(printed)
  await writeFile(join(folder, 'secrets'), '', { mode: 0o600 })
  // This process registers secrets too.
  process.env.TEST_SECRETS_FILE = join(folder, 'secrets')
  const stores = createRunStores()
  const results: SuiteResult[] = []
  const waiting = [...runs]
  const runLane = async (lane: Lane) => {
    for (let run = take(waiting, lane); run && !interrupted.signal.aborted; run = take(waiting, lane)) {
      const runnable = run.needs.every((need) => answers.get(need) === null)
      results.push(runnable ? await runOne(run, stores, folder) : cannotRun(run, answers))
    }
  }
  try {
    await Promise.all(lanes.map(runLane))
  } finally {
    await stores.stop(printed)
  }
  // Tests that need nothing, and random ones without a server, make neither key nor token, and the sweep would miss them.
  const withSecrets = runs.some(({ store, needs }) => isTestStore(store) || (!long && needs.length > 0))
  if (withSecrets && !interrupted.signal.aborted) results.push(await sweepPrinted(folder))
  return results
}

/** Takes out the first run of the lane's kind. Lanes that work also take runs that wait, once nothing else is left. */
function take(waiting: SuiteRun[], lane: Lane): SuiteRun | undefined {
  const own = waiting.findIndex(({ waits }) => waits === (lane === 'waits'))
  if (own === -1) return lane === 'works' ? waiting.shift() : undefined
  return waiting.splice(own, 1)[0]
}

async function runOne(run: SuiteRun, stores: RunStores, folder: string): Promise<SuiteResult> {
  if (run.files.length === 0) return failedRun(run, 'there is no test in it')
  try {
    const storeVariables = await stores.environmentFor(run.store)
    const env = { ...process.env, ...storeVariables, TEST_PRINTED_FOLDER: join(folder, 'printed') }
    if (!long) return await runSuite(run, { env, folder, signal: interrupted.signal })
    const limits = longLimits
    return await runSuite(run, {
      env: { ...env, TEST_SIZE: 'long' },
      folder,
      limits,
      signal: interrupted.signal,
    })
  } catch (error) {
    return failedRun(run, error instanceof Error ? error.message : String(error))
  }
}

async function meetNeeds(runs: SuiteRun[]): Promise<Map<NeedName, NeedAnswer>> {
  const answers = new Map<NeedName, NeedAnswer>()
  for (const need of new Set(runs.flatMap(({ needs }) => needs))) answers.set(need, await meetNeed(need))
  return answers
}

/** Counts as one skipped test: the suite would run on a machine that has what it needs. */
function cannotRun({ suite, store, needs }: SuiteRun, answers: Map<NeedName, NeedAnswer>): SuiteResult {
  const missing = needs.map((need) => answers.get(need) ?? null).filter((answer) => answer !== null)
  const remarks = missing.map(({ why, line }) => `cannot run: ${why}\n  to enable it: ${line}`)
  return { suite, store: titleOf(store), passed: 0, failed: 0, skipped: 1, minutes: 0, remarks }
}

/** One failure that belongs to no test, for instance because the store does not start. */
function failedRun({ suite, store }: SuiteRun, remark: string): SuiteResult {
  return { suite, store: titleOf(store), passed: 0, failed: 1, skipped: 0, minutes: 0, remarks: [remark] }
}

/** The run itself failed: one failure that belongs to no suite. */
function brokenRun(error: unknown): SuiteResult {
  const remarks = [error instanceof Error ? error.message : String(error)]
  return { suite: 'the run', store: 'none', passed: 0, failed: 1, skipped: 0, minutes: 0, remarks }
}
