import { InvalidArgumentError } from 'commander'
import type { TagOutcome } from '../../documents/maintenance/copy-tag.ts'
import type { VersionOutcome } from '../../documents/maintenance/copy-version.ts'
import { type Migrated, type MigrationOptions, migrate } from '../../documents/maintenance/migration.ts'
import { type MigrationPlan, planMigration } from '../../documents/maintenance/migration-plan.ts'
import { ObjectStoreError } from '../../object-store/object-store.ts'
import { removeStateFile, StateFileError, writeStateFile } from '../state-file.ts'
import type { StorePair } from '../store-pair.ts'
import {
  complain,
  type ExitCode,
  exitCodes,
  mebibyte,
  type PairFlags,
  PairUsageError,
  pairCommand,
  pairEnvironmentHelp,
  runPairCommand,
  storeSentence,
} from '../store-pair-command.ts'
import { type Progress, startProgress } from '../transfer-progress.ts'
import { createMigrationReport, isRemarkable, type MigrationReport, problemOf } from './report.ts'
import { beginning, isResumed, type Journey, type MigrationState, readMigrationState } from './state.ts'

interface Flags extends PairFlags {
  since?: Date
  state?: string
  dryRun?: true
}

/** What is done again after a crash costs a look at both stores; a flush to disk for each would cost more. */
const stateIntervalMs = 1000

/** A store may stamp an object with the time at which it began to be written, which can be long before it shows. */
const storedLateMs = 60 * 60 * 1000

const command = pairCommand(
  'bun run migrate',
  'Copies all documents and tags from one store to another, verified, but for what is there. Deletes nothing.',
)
  .option('--since <time>', 'only what the source has stored since then (RFC 3339)', parseTime)
  .option('--state <file>', 'keep the position here, and go on from it')
  .option('--dry-run', 'write nothing, and say what would be copied')
  .addHelpText(
    'after',
    `${pairEnvironmentHelp}
Where both have a tag, the newer move wins, and what lost is told. What lies in staging is not copied.
Exit codes: 0 all there, 1 something was not copied (it is named), 2 wrong usage, 3 stopped before the end (the
configuration is wrong, a store is out of reach or refuses, or an interruption): run it again to go on.`,
  )

interface Run {
  pair: StorePair
  flags: Flags
  signal: AbortSignal
  report: MigrationReport
  progress: Progress
  state: MigrationState
}

async function migrateAll(pair: StorePair, flags: Flags, signal: AbortSignal): Promise<ExitCode> {
  const report = createMigrationReport(flags.json === true)
  const journey = journeyOf(pair, flags)
  const { from, to } = journey
  const left = await leftBefore(journey, flags)
  const plan = await planMigration(pair.source.store, pair.target.store, { since: flags.since, signal })
  const state = left ?? beginning(journey, await pair.source.store.clock({ signal }))
  await report.plan(plan, { from, to, dryRun: flags.dryRun === true })
  // What an earlier run could not copy is missing still.
  for (const problem of state.problems) await report.problem(problem)
  const run = { pair, flags, signal, report, state, progress: startProgress('migrate') }
  const end = { dryRun: flags.dryRun === true }
  try {
    await goOn(run, plan)
  } catch (error) {
    if (!signal.aborted && !(error instanceof ObjectStoreError)) throw error
    run.progress.stop()
    await keep(run)
    await report.summary(state, { ...end, finished: false })
    const why = signal.aborted ? 'interrupted' : storeSentence(error as ObjectStoreError)
    const how = flags.state === undefined ? 'Run it again' : `Run it again with --state ${flags.state}`
    return complain(`error: ${why}. ${how} to go on.`, exitCodes.missing)
  } finally {
    run.progress.stop()
  }
  if (flags.state !== undefined) await removeStateFile(flags.state)
  await report.summary(state, { ...end, finished: true })
  return state.problems.length === 0 ? exitCodes.done : exitCodes.failed
}

function journeyOf({ source, target }: StorePair, { since }: Flags): Journey {
  return { from: source.place, to: target.place, since: since?.toISOString() ?? '' }
}

/** The state of an earlier run; `null` where there is none. */
async function leftBefore(journey: Journey, { state, dryRun }: Flags): Promise<MigrationState | null> {
  if (state === undefined) return null
  if (dryRun) throw new PairUsageError('--dry-run goes nowhere, and keeps no --state')
  try {
    return await readMigrationState(state, journey)
  } catch (error) {
    throw error instanceof StateFileError ? new PairUsageError(error.message) : error
  }
}

async function goOn(run: Run, plan: MigrationPlan): Promise<void> {
  const { flags, state } = run
  const options = optionsOf(run, plan)
  const resumed = isResumed(state)
  await goThrough(run, { ...options, from: state.position, since: flags.since }, (migrated) => {
    count(state, migrated)
    state.position = migrated.position
  })
  if (!resumed) return
  // The position stays at the end: whoever is interrupted here begins this once more.
  const since = new Date(Date.parse(state.begunAt) - storedLateMs)
  await goThrough(run, { ...options, since: later(since, flags.since) }, (migrated) =>
    // What is there was counted when it was copied.
    count(state, { ...migrated, outcomes: migrated.outcomes.filter(isCopied) }),
  )
}

function optionsOf({ flags, signal, progress }: Run, { missing }: MigrationPlan) {
  let bytes = 0
  return {
    dryRun: flags.dryRun === true,
    parallelMax: flags.parallel,
    bytesPerSecondMax: flags.rate * mebibyte,
    onBytes(more: number) {
      bytes += more
      progress.onProgress?.({ bytes, totalBytes: missing.bytes })
    },
    signal,
  }
}

async function goThrough(
  run: Run,
  options: MigrationOptions,
  onMigrated: (migrated: Migrated) => void,
): Promise<void> {
  const { source, target } = run.pair
  let keptAt = performance.now()
  for await (const migrated of migrate(source.store, target.store, options)) {
    const troubled = await tell(run, migrated)
    onMigrated(migrated)
    // A problem is written down at once: a resumed run must not forget it.
    if (!troubled && performance.now() - keptAt < stateIntervalMs) continue
    await keep(run)
    await run.report.progress(run.state)
    keptAt = performance.now()
  }
}

/** @returns whether something has to be looked at. */
async function tell({ state, report, flags }: Run, { outcomes }: Migrated): Promise<boolean> {
  let troubled = false
  for (const outcome of outcomes) {
    const problem = problemOf(outcome)
    // Told once, although a run that goes on may meet it again.
    if (problem && !state.problems.some((told) => Bun.deepEquals(told, problem))) {
      troubled = true
      state.problems.push(problem)
      await report.problem(problem)
    }
    if (isRemarkable(outcome)) await report.remark(outcome)
    if (flags.dryRun && isCopied(outcome)) await report.wouldCopy(outcome)
  }
  return troubled
}

function isCopied({ result }: VersionOutcome | TagOutcome): boolean {
  return result === 'copied' || result === 'moved'
}

function count(state: MigrationState, { outcomes }: Migrated): void {
  for (const outcome of outcomes) {
    const counts = outcome.of === 'version' ? state.versions : state.tags
    counts[outcome.result] = (counts[outcome.result] ?? 0) + 1
    if (outcome.of === 'version' && outcome.result === 'copied') state.bytesCopied += outcome.size
  }
}

function later(one: Date, other: Date | undefined): Date {
  return other !== undefined && other > one ? other : one
}

async function keep({ flags, state }: Run): Promise<void> {
  if (flags.state !== undefined) await writeStateFile(flags.state, state)
}

function parseTime(text: string): Date {
  // RFC 3339 section 5.6; without an offset it would be this machine's time.
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? new Date(text) : null
  if (time && !Number.isNaN(time.getTime())) return time
  throw new InvalidArgumentError('Give a time such as 2026-11-03T14:00:00Z.')
}

process.exitCode = await runPairCommand(command, migrateAll)
