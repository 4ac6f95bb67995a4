import { InvalidArgumentError, Option } from 'commander'
import { beginTally } from '../../documents/maintenance/recount.ts'
import { type Scrubbed, type ScrubbedRecord, scrub } from '../../documents/maintenance/scrub.ts'
import { ObjectStoreError } from '../../object-store/object-store.ts'
import { createCommand, type ExitCode, exitCodes, IncompleteError, runCommand } from '../command.ts'
import { createReport, type Report, storeSentence } from '../output.ts'
import { type Progress, startProgress } from '../progress.ts'
import { removeStateFile, stateIntervalMs, writeStateFile } from '../state-file.ts'
import { type OpenedStore, openStore, rateOption, readStoreConfig } from '../store.ts'
import {
  damagedVersion,
  readScrubState,
  reportDamaged,
  reportSummary,
  reportWrongRecord,
  type ScrubState,
  unrepaired,
  wrongRecord,
} from './state.ts'

interface Flags {
  /** Bytes per second. */
  rate: number
  after?: string
  state?: string
  repair?: true
  json?: true
}

const command = createCommand(
  'bun run scrub',
  'Reads every stored version again and compares it with its SHA-256, and every record with the versions of its ' +
    'document and the index of tags. Changes nothing without --repair.',
)
  .addOption(rateOption('read at most this fast', 32))
  .option('--after <key>', 'begin after this key, as an earlier run named it', parseKey)
  .addOption(
    new Option('--state <file>', 'keep the last key in this file, and continue from it').conflicts('after'),
  )
  .option(
    '--repair',
    'rebuild records that are missing, damaged or wrong, and the index of tags; the service may run',
  )
  .option('--json', 'one JSON object per line')
  .addHelpText(
    'after',
    `
Reads the same S3_* variables as the service, and no others.
After exit code 3, the last line says how to continue.`,
  )

interface Run {
  store: OpenedStore
  state: ScrubState
  flags: Flags
  report: Report
  progress: Progress
  signal: AbortSignal
}

await runCommand<Flags>(command, async (flags, { signal }) => {
  const store = openStore(await readStoreConfig())
  const { place } = store
  const earlier = flags.state === undefined ? null : await readScrubState(flags.state, place)
  const state = earlier ?? { place, after: flags.after ?? '', versions: 0, bytes: 0, damaged: [] }
  const report = createReport(flags.json)
  // Damage that an earlier run found is still there.
  for (const version of state.damaged) await reportDamaged(report, version)
  for (const record of state.wrongRecords ?? []) await reportWrongRecord(report, record)
  const run = { store, state, flags, report, progress: startProgress('scrub'), signal }
  try {
    return await scrubAll(run)
  } finally {
    run.progress.stop()
    store.close()
  }
})

async function scrubAll(run: Run): Promise<ExitCode> {
  const { state, flags, report } = run
  let leftOut: number
  try {
    leftOut = await readAll(run)
  } catch (error) {
    run.progress.stop()
    throw await stopped(error, run)
  }
  if (flags.state !== undefined) await removeStateFile(flags.state)
  if (leftOut > 0) {
    await reportSummary(report, state, false)
    throw new IncompleteError(`the listing of the store left out ${leftOut} versions. Run it again.`)
  }
  await reportSummary(report, state, true)
  return state.damaged.length + unrepaired(state) === 0 ? exitCodes.done : exitCodes.failed
}

/** @returns how many versions the listing left out. */
async function readAll({ store, state, flags, report, progress, signal }: Run): Promise<number> {
  let savedAt = performance.now()
  const tally = await beginTally(store.store, { signal })
  const after = state.after === '' ? undefined : state.after
  const options = { after, bytesPerSecondMax: flags.rate, repair: flags.repair, tally, signal }
  for await (const scrubbed of scrub(store.store, options)) {
    const isSound = await add(state, scrubbed, report)
    progress.onProgress?.({ bytes: state.bytes, totalBytes: null })
    if (flags.state === undefined) continue
    // Damage is written down at once: a resumed run must not forget it.
    if (isSound && performance.now() - savedAt < stateIntervalMs) continue
    await writeStateFile(flags.state, state)
    savedAt = performance.now()
  }
  return tally.leftOut({ signal })
}

/** @returns whether there is nothing to report. */
async function add(state: ScrubState, scrubbed: Scrubbed, report: Report): Promise<boolean> {
  state.after = scrubbed.key
  if (scrubbed.of === 'record') return addRecord(state, scrubbed, report)
  if (scrubbed.of === 'row') {
    state.unnamedRows = (state.unnamedRows ?? 0) + 1
    return true
  }
  if (scrubbed.found === null && scrubbed.intact) return true
  state.versions += 1
  state.bytes += scrubbed.size
  if (scrubbed.intact) return true
  const damaged = damagedVersion(scrubbed)
  state.damaged.push(damaged)
  await reportDamaged(report, damaged)
  return false
}

async function addRecord(state: ScrubState, scrubbed: ScrubbedRecord, report: Report): Promise<boolean> {
  state.records = (state.records ?? 0) + 1
  const wrong = wrongRecord(scrubbed)
  if (wrong === null) return true
  state.wrongRecords = [...(state.wrongRecords ?? []), wrong]
  await reportWrongRecord(report, wrong)
  return false
}

/** Saves the state and returns the failure that says how to continue; any other error as it is. */
async function stopped(error: unknown, { state, flags, report, signal }: Run): Promise<unknown> {
  if (!signal.aborted && !(error instanceof ObjectStoreError)) return error
  if (flags.state !== undefined && state.after !== '') await writeStateFile(flags.state, state)
  await reportSummary(report, state, false)
  const why = signal.aborted ? 'interrupted' : storeSentence(error as ObjectStoreError)
  return new IncompleteError(`${why}. ${howToContinue(state, flags)}`)
}

function howToContinue({ after }: ScrubState, { state }: Flags): string {
  if (after === '') return 'Nothing was read yet: run it again.'
  return state === undefined
    ? `Continue with --after ${after}`
    : `Run it again with --state ${state} to continue.`
}

function parseKey(text: string): string {
  if (text.startsWith('tenants/')) return text
  throw new InvalidArgumentError('Give a key as an earlier run named it: tenants/…')
}
