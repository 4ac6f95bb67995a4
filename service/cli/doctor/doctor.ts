import type { StoreConfig } from '../../config/config.ts'
import { type ProbeReport, probeRows, probeStore } from '../../object-store/probe/probe.ts'
import { storeConnection } from '../../object-store/s3/open-store.ts'
import { createCommand, exitCodes, runCommand } from '../command.ts'
import { localFolder } from '../local-issuer/starts.ts'
import { printBytes, printJson } from '../output.ts'
import { showProgress } from '../progress.ts'
import { readStoreConfig, remarkOnProxy } from '../store.ts'
import { parseOrigin } from '../values.ts'
import { doctorEnvironment } from './environment.ts'
import { diagnosisOf, diagnosisText } from './report.ts'

interface Flags {
  json?: true
  origin?: string
  local: string
}

const command = createCommand(
  'bun run doctor',
  'Asks the object store what it really does, on scratch keys that are removed, and says what follows from it.',
)
  .option('--json', 'one JSON object instead of the table')
  .option(
    '--origin <url>',
    'ask CORS for browsers at this origin (default: that of the UI, from PUBLIC_URL or the start)',
    parseOrigin,
  )
  .option('--local <folder>', 'where `start` keeps its state', localFolder)
  .addHelpText(
    'after',
    `
Reads the same S3_* variables as the service, and no others. Without S3_ENDPOINT it asks the store of the
\`bun run start\` that runs in this checkout.
The store is fit (exit code 0), fit with limits (1), or unfit or out of reach (3): something that the service needs
is not there.`,
  )

await runCommand<Flags>(command, async (flags, { signal }) => {
  const { environment, remark, uiOrigin } = await doctorEnvironment(Bun.env, flags.local)
  if (remark !== null) process.stderr.write(`${remark}\n`)
  const config = await readStoreConfig(environment)
  remarkOnProxy(config)
  const report = await probeWithProgress(config, flags.origin ?? uiOrigin, signal)
  const { endpoint } = config.s3
  const { bucket, prefix } = config.docs
  const diagnosis = diagnosisOf({ endpoint, bucket, prefix }, report)
  if (flags.json) await printJson(diagnosis)
  else await printBytes(diagnosisText(diagnosis, process.stdout.columns || undefined))
  return signal.aborted ? exitCodes.interrupted : diagnosis.exitCode
})

async function probeWithProgress(
  config: StoreConfig,
  origin: string | undefined,
  signal: AbortSignal,
): Promise<ProbeReport> {
  const progress = showProgress('doctor')
  let answered = 0
  const report = await probeStore(storeConnection(config), config.docs.prefix, {
    origin,
    signal,
    onFinding() {
      answered += 1
      progress.report(`${answered} of ${probeRows.length}: ${probeRows[answered]?.question ?? 'cleaning up'}`)
    },
  })
  progress.finish(signal.aborted ? 'interrupted' : 'done')
  return report
}
