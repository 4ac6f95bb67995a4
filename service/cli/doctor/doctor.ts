import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { ConfigError, parseStoreConfig, type StoreConfig } from '../../config/config.ts'
import { type ProbeReport, probeRows, probeStore } from '../../object-store/probe/probe.ts'
import { localFolder } from '../local-issuer/local-state.ts'
import { printBytes, printJson } from '../output.ts'
import { showProgress } from '../progress.ts'
import { diagnosisOf, diagnosisText } from './report.ts'
import { doctorEnvironment, isOrigin } from './store.ts'

const usageExitCode = 64
const configurationExitCode = 78

interface Flags {
  json?: true
  origin?: string | undefined
  local: string
}

const command = new Command('bun run doctor')
  .description(
    'Asks the object store what it really does, on scratch keys that are removed, and says what follows.',
  )
  .option('--json', 'one JSON object instead of the table')
  .option(
    '--origin <url>',
    'ask CORS for the browsers of this origin (default: that of the UI, by PUBLIC_URL or of the start)',
    parseOrigin,
  )
  .option('--local <folder>', 'where `start` keeps its state', localFolder)
  .exitOverride()
  .addHelpText(
    'after',
    `
Reads the same S3_* variables as the service, and no others. Without S3_ENDPOINT it takes the store of the
\`bun run start\` that runs in this checkout.
Exit codes: 0 fit, 1 fit with limits, 2 unfit or out of reach, 64 wrong usage, 78 the configuration is wrong.`,
  )

async function main(): Promise<number> {
  try {
    const flags = command.parse().opts<Flags>()
    const { environment, remark, uiOrigin } = await doctorEnvironment(Bun.env, flags.local)
    if (remark !== null) process.stderr.write(`${remark}\n`)
    const config = await parseStoreConfig(environment, (path) => readFileSync(path, 'utf8'))
    return await diagnose(config, { ...flags, origin: flags.origin ?? uiOrigin })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    return configurationExitCode
  }
}

async function diagnose(config: StoreConfig, { json, origin }: Flags): Promise<number> {
  const { endpoint } = config.s3
  const { bucket, prefix } = config.docs
  const diagnosis = diagnosisOf({ endpoint, bucket, prefix }, await probeWithProgress(config, origin))
  if (json) await printJson(diagnosis)
  else await printBytes(diagnosisText(diagnosis, process.stdout.columns || undefined))
  return diagnosis.exitCode
}

async function probeWithProgress(
  { s3, docs }: StoreConfig,
  origin: string | undefined,
): Promise<ProbeReport> {
  const connection = {
    ...s3,
    bucket: docs.bucket,
    accessKeyId: s3.accessKeyId.reveal(),
    secretAccessKey: s3.secretAccessKey.reveal(),
  }
  const progress = showProgress('doctor')
  let answered = 0
  const report = await probeStore(connection, docs.prefix, {
    origin,
    signal: interruption.signal,
    onFinding() {
      answered += 1
      progress.report(`${answered} of ${probeRows.length}: ${probeRows[answered]?.question ?? 'cleaning up'}`)
    },
  })
  progress.finish(interruption.signal.aborted ? 'interrupted' : 'done')
  return report
}

function parseOrigin(text: string): string {
  if (isOrigin(text)) return text
  throw new InvalidArgumentError('Give scheme, host and port only, such as https://ui.example.')
}

const interruption = new AbortController()
process.once('SIGINT', () => interruption.abort())
process.once('SIGTERM', () => interruption.abort())
process.exitCode = await main()
