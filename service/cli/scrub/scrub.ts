import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { ConfigError, parseStoreConfig, type StoreConfig } from '../../config/config.ts'
import { type Scrubbed, scrub } from '../../documents/maintenance/scrub.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import { prefixed } from '../../object-store/prefixed-object-store.ts'
import { createS3ObjectStore } from '../../object-store/s3/s3-object-store.ts'
import { removeStateFile, StateFileError, writeStateFile } from '../state-file.ts'
import { type Progress, startProgress } from '../transfer-progress.ts'
import { createReport, damagedVersion, type ScrubReport } from './report.ts'
import { readScrubState, type ScrubState } from './state.ts'

const exitCodes = { intact: 0, damaged: 1, usage: 2, stopped: 3, configuration: 78 } as const
type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Keys that are read again after a crash cost time only; a flush to disk for each would cost more. */
const stateIntervalMs = 1000
const mebibyte = 1024 * 1024

interface Flags {
  rate: number
  after?: string
  state?: string
  json?: true
}

const command = new Command('bun run scrub')
  .description('Reads every stored version again and compares it with its SHA-256. Changes nothing.')
  .option('--rate <MiB/s>', 'read at most this fast', parseRate, 32)
  .option('--after <key>', 'begin behind this key, as an earlier run named it', parseKey)
  .addOption(new Option('--state <file>', 'keep the last key here, and go on from it').conflicts('after'))
  .option('--json', 'one JSON object per line')
  .exitOverride()
  .addHelpText(
    'after',
    `
Reads the same S3_* variables as the service, and no others.
Exit codes: 0 all intact, 1 damage found, 2 wrong usage, 3 stopped before the end (the store is out of reach, or
an interruption: it says behind which key to go on), 78 the configuration is wrong.`,
  )

async function main(): Promise<ExitCode> {
  try {
    const flags = command.parse().opts<Flags>()
    const config = await parseStoreConfig(Bun.env, (path) => readFileSync(path, 'utf8'))
    return await scrubAll(config, flags)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.intact : exitCodes.usage
    if (error instanceof ConfigError) return complain(error.message, exitCodes.configuration)
    if (error instanceof StateFileError) return complain(`error: ${error.message}`, exitCodes.usage)
    throw error
  }
}

async function scrubAll({ s3, docs }: StoreConfig, flags: Flags): Promise<ExitCode> {
  const place = `${s3.endpoint}/${docs.bucket}/${docs.prefix}`
  const begun = flags.state === undefined ? null : await readScrubState(flags.state, place)
  const state = begun ?? { place, after: flags.after ?? '', versions: 0, bytes: 0, damaged: [] }
  const bucket = createS3ObjectStore({
    ...s3,
    bucket: docs.bucket,
    accessKeyId: s3.accessKeyId.reveal(),
    secretAccessKey: s3.secretAccessKey.reveal(),
  })
  const report = createReport(flags.json === true)
  // Damage that an earlier run found is damage still.
  for (const version of state.damaged) report.damaged(version)
  const progress = startProgress('scrub')
  try {
    await readOn(prefixed(bucket, docs.prefix), state, flags, report, progress)
  } catch (error) {
    progress.stop()
    return await tellStopped(error, state, flags, report)
  } finally {
    progress.stop()
    bucket.close()
  }
  if (flags.state !== undefined) await removeStateFile(flags.state)
  report.summary(state, { finished: true, after: state.after })
  return state.damaged.length === 0 ? exitCodes.intact : exitCodes.damaged
}

async function readOn(
  store: ObjectStore,
  state: ScrubState,
  flags: Flags,
  report: ScrubReport,
  { onProgress }: Progress,
): Promise<void> {
  let savedAt = performance.now()
  const after = state.after === '' ? undefined : state.after
  const signal = interruption.signal
  for await (const scrubbed of scrub(store, { after, bytesPerSecondMax: flags.rate * mebibyte, signal })) {
    take(state, scrubbed, report)
    onProgress?.({ bytes: state.bytes, totalBytes: null })
    if (flags.state === undefined) continue
    // Damage is written down at once: a resumed run must not forget it.
    if (scrubbed.intact && performance.now() - savedAt < stateIntervalMs) continue
    await writeStateFile(flags.state, state)
    savedAt = performance.now()
  }
}

function take(state: ScrubState, scrubbed: Scrubbed, report: ScrubReport): void {
  state.after = scrubbed.key
  if (scrubbed.found === null && scrubbed.intact) return
  state.versions += 1
  state.bytes += scrubbed.size
  if (scrubbed.intact) return
  const damaged = damagedVersion(scrubbed)
  state.damaged.push(damaged)
  report.damaged(damaged)
}

async function tellStopped(
  error: unknown,
  state: ScrubState,
  flags: Flags,
  report: ScrubReport,
): Promise<ExitCode> {
  const interrupted = interruption.signal.aborted
  if (!interrupted && !(error instanceof ObjectStoreError)) throw error
  if (flags.state !== undefined && state.after !== '') await writeStateFile(flags.state, state)
  report.summary(state, { finished: false, after: state.after })
  const why = interrupted ? 'interrupted' : (error as ObjectStoreError).message
  return complain(`error: ${why}. ${howToGoOn(state, flags)}`, exitCodes.stopped)
}

function howToGoOn({ after }: ScrubState, { state }: Flags): string {
  if (after === '') return 'Nothing was read yet: run it again.'
  return state === undefined ? `Go on with --after ${after}` : `Run it again with --state ${state} to go on.`
}

function complain(message: string, exitCode: ExitCode): ExitCode {
  process.stderr.write(`${message}\n`)
  return exitCode
}

function parseRate(text: string): number {
  const rate = Number(text)
  if (/^\d{1,6}(\.\d{1,3})?$/.test(text) && rate > 0) return rate
  throw new InvalidArgumentError('Give MiB per second, such as 32 or 0.5.')
}

function parseKey(text: string): string {
  if (text.startsWith('tenants/')) return text
  throw new InvalidArgumentError('Give a key as an earlier run named it: tenants/…')
}

const interruption = new AbortController()
process.once('SIGINT', () => interruption.abort())
process.once('SIGTERM', () => interruption.abort())
process.exitCode = await main()
