import { recordKey, versionKey } from '../../documents/document-key.ts'
import type { Outcome } from '../../documents/maintenance/copy-record.ts'
import { type Migrated, type MigrationOptions, migrate } from '../../documents/maintenance/migration.ts'
import { type MigrationPlan, planMigration } from '../../documents/maintenance/migration-plan.ts'
import { beginTally, countVersions } from '../../documents/maintenance/recount.ts'
import { onSide } from '../../documents/maintenance/store-side.ts'
import { ObjectStoreError } from '../../object-store/object-store.ts'
import {
  CommandFailure,
  createCommand,
  type ExitCode,
  exitCodes,
  IncompleteError,
  runCommand,
  UsageError,
} from '../command.ts'
import { createReport, type Report, storeSentence } from '../output.ts'
import { type Progress, startProgress } from '../progress.ts'
import { removeStateFile, stateIntervalMs, writeStateFile } from '../state-file.ts'
import { type PairFlags, type StorePair, withPair, withStorePair } from '../store.ts'
import { parseTime } from '../values.ts'
import {
  isRemarkable,
  type Miscount,
  problemOf,
  reportMiscount,
  reportPlan,
  reportProblem,
  reportProgress,
  reportRemark,
  reportSummary,
  reportWouldCopy,
} from './report.ts'
import {
  initialState,
  isResumed,
  type MigrationScope,
  type MigrationState,
  readMigrationState,
} from './state.ts'

interface Flags extends PairFlags {
  since?: Date
  state?: string
  delete?: true
  dryRun?: true
}

/** A store may stamp an object with the time at which its write began, long before the object shows up. */
const storedLateMs = 60 * 60 * 1000

const command = withPair(
  createCommand(
    'bun run migrate',
    'Copies all documents and tags from one store to another, verified, except those that are already there. ' +
      'Deletes nothing without --delete.',
  ),
)
  .option('--since <time>', 'only what the source has stored since then (RFC 3339)', parseTime)
  .option('--state <file>', 'keep the position in this file, and continue from it')
  .option('--delete', 'remove from the target what the source has deleted since it was stored there')
  .option('--dry-run', 'write nothing, and list what would be copied')
  .addHelpText(
    'after',
    `
Where both stores have a tag, the later move wins, and the output names the one that lost. Of a deletion in one store and
an upload in the other, the later one wins. Tags of the old layout become part of the target's records (see "convert").
Staged bytes are not copied.
After exit code 3, run the same command again to continue.`,
  )

interface Run {
  pair: StorePair
  flags: Flags
  signal: AbortSignal
  report: Report
  progress: Progress
  state: MigrationState
}

await runCommand<Flags>(command, async (flags, { signal }) => {
  try {
    return await withStorePair(flags, (pair) => migrateAll(pair, flags, signal))
  } catch (error) {
    // Interrupted before anything was copied.
    throw signal.aborted && !(error instanceof CommandFailure)
      ? new IncompleteError('interrupted. Run it again.')
      : error
  }
})

async function migrateAll(pair: StorePair, flags: Flags, signal: AbortSignal): Promise<ExitCode> {
  const report = createReport(flags.json)
  const scope = scopeOf(pair, flags)
  const { from, to } = scope
  if (flags.state !== undefined && flags.dryRun) {
    throw new UsageError('--dry-run makes no progress, so it keeps no --state: leave one of the two out')
  }
  const earlier = flags.state === undefined ? null : await readMigrationState(flags.state, scope)
  const plan = await planMigration(pair.source.store, pair.target.store, { since: flags.since, signal })
  const state = earlier ?? initialState(scope, await pair.source.store.clock({ signal }))
  const removeDeleted = flags.delete === true
  await reportPlan(report, plan, { from, to, dryRun: flags.dryRun === true, removeDeleted })
  // What an earlier run could not copy is still missing.
  for (const problem of state.problems) await reportProblem(report, problem)
  const run = { pair, flags, signal, report, state, progress: startProgress('migrate') }
  const end = { dryRun: flags.dryRun === true }
  let miscounts: Miscount[] = []
  try {
    miscounts = await copyAll(run, plan)
  } catch (error) {
    if (!signal.aborted && !(error instanceof ObjectStoreError)) throw error
    run.progress.stop()
    await saveState(run)
    await reportSummary(report, state, { ...end, finished: false, miscounts })
    const why = signal.aborted ? 'interrupted' : storeSentence(error as ObjectStoreError)
    const how = flags.state === undefined ? 'Run it again' : `Run it again with --state ${flags.state}`
    throw new IncompleteError(`${why}. ${how} to continue.`)
  } finally {
    run.progress.stop()
  }
  if (flags.state !== undefined) await removeStateFile(flags.state)
  for (const miscount of miscounts) await reportMiscount(report, miscount)
  await reportSummary(report, state, { ...end, finished: true, miscounts })
  return state.problems.length + miscounts.length === 0 ? exitCodes.done : exitCodes.failed
}

function scopeOf({ source, target }: StorePair, { since }: Flags): MigrationScope {
  return { from: source.place, to: target.place, since: since?.toISOString() ?? '' }
}

/** @returns what a second count of the versions does not confirm. */
async function copyAll(run: Run, plan: MigrationPlan): Promise<Miscount[]> {
  const { flags, state, signal } = run
  const tally = await beginTally(onSide('source', run.pair.source.store), { signal })
  const options = { ...optionsOf(run, plan), tally }
  const resumed = isResumed(state)
  await copyOnce(run, { ...options, from: state.position, since: flags.since }, (migrated) => {
    count(state, migrated)
    state.position = migrated.position
  })
  if (resumed) {
    // The position stays at the end: a run that is interrupted here repeats this pass.
    const since = new Date(Date.parse(state.begunAt) - storedLateMs)
    await copyOnce(run, { ...options, since: later(since, flags.since) }, (migrated) =>
      // Versions and tags that are present were counted when they were copied.
      count(state, { ...migrated, outcomes: migrated.outcomes.filter(isCopied) }),
    )
  }
  const leftOut = await tally.leftOut({ signal })
  const lacking = flags.dryRun ? 0 : await lackingInTarget(run)
  return [
    ...(leftOut > 0 ? [{ side: 'source' as const, versions: leftOut }] : []),
    ...(lacking > 0 ? [{ side: 'target' as const, versions: lacking }] : []),
  ]
}

/** Returns how many versions fewer the target lists than all runs have copied to it or found there. */
async function lackingInTarget({ pair, state, signal }: Run): Promise<number> {
  const inTarget = ['copied', 'present', 'kept', 'differs'] as const
  const expected = inTarget.reduce((sum, result) => sum + (state.versions[result] ?? 0), 0)
  return Math.max(0, expected - (await countVersions(onSide('target', pair.target.store), { signal })))
}

function optionsOf({ flags, signal, progress, state }: Run, { missing }: MigrationPlan) {
  let bytes = 0
  const ahead = state.ahead ?? {}
  state.ahead = ahead
  return {
    dryRun: flags.dryRun === true,
    removeDeleted: flags.delete === true,
    parallelMax: flags.parallel,
    bytesPerSecondMax: flags.rate,
    onBytes(more: number) {
      bytes += more
      progress.onProgress?.({ bytes, totalBytes: missing.bytes })
    },
    onOutcome({ result, ref }: Outcome) {
      if (result === 'copied' || result === 'moved') ahead[keyOf(ref)] = result
    },
    signal,
  }
}

async function copyOnce(
  run: Run,
  options: MigrationOptions,
  onMigrated: (migrated: Migrated) => void,
): Promise<void> {
  const { source, target } = run.pair
  let savedAt = performance.now()
  for await (const { position, outcomes } of migrate(source.store, target.store, options)) {
    const migrated = { position, outcomes: outcomes.map((outcome) => asCounted(run.state, outcome)) }
    const hasProblem = await reportOutcomes(run, migrated)
    onMigrated(migrated)
    // A problem is written down at once: a resumed run must not forget it.
    if (!hasProblem && performance.now() - savedAt < stateIntervalMs) continue
    await saveState(run)
    await reportProgress(run.report, run.state)
    savedAt = performance.now()
  }
}

/** Reports what is worth a line. @returns whether there is a new problem */
async function reportOutcomes({ state, report, flags }: Run, { outcomes }: Migrated): Promise<boolean> {
  let hasProblem = false
  for (const outcome of outcomes) {
    const problem = problemOf(outcome)
    // Reported once, although a run that continues may meet it again.
    if (problem && !state.problems.some((known) => Bun.deepEquals(known, problem))) {
      hasProblem = true
      state.problems.push(problem)
      await reportProblem(report, problem)
    }
    if (isRemarkable(outcome)) await reportRemark(report, outcome)
    if (flags.dryRun && outcome.of !== 'record' && isCopied(outcome)) await reportWouldCopy(report, outcome)
  }
  return hasProblem
}

/** Returns the outcome as it counts: a copy that an earlier run made and could not record is no longer missing. */
function asCounted({ ahead = {} }: MigrationState, outcome: Outcome): Outcome {
  const key = keyOf(outcome.ref)
  const earlier = ahead[key]
  delete ahead[key]
  if (earlier === undefined || outcome.result !== 'present') return outcome
  if (outcome.of === 'version') return { ...outcome, result: 'copied' }
  return outcome.of === 'tag' ? { ...outcome, result: earlier } : outcome
}

function keyOf(ref: Outcome['ref']): string {
  if ('digest' in ref) return versionKey(ref)
  return 'tag' in ref ? `${recordKey(ref)} ${ref.tag}` : recordKey(ref)
}

function isCopied({ result }: Outcome): boolean {
  return result === 'copied' || result === 'moved'
}

function count(state: MigrationState, { outcomes }: Migrated): void {
  for (const outcome of outcomes) {
    // One that is not copied is a problem, and counted as such.
    if (outcome.of === 'record') continue
    const counts = outcome.of === 'version' ? state.versions : state.tags
    counts[outcome.result] = (counts[outcome.result] ?? 0) + 1
    if (outcome.of === 'version' && outcome.result === 'copied') state.bytesCopied += outcome.size
  }
}

function later(one: Date, other: Date | undefined): Date {
  return other !== undefined && other > one ? other : one
}

async function saveState({ flags, state }: Run): Promise<void> {
  if (flags.state !== undefined) await writeStateFile(flags.state, state)
}
