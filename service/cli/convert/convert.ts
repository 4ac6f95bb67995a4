import { type Converted, type ConvertedResult, convert } from '../../documents/maintenance/conversion.ts'
import { createCommand, type ExitCode, exitCodes, IncompleteError, runCommand } from '../command.ts'
import { createReport, type Report } from '../output.ts'
import { openStore, readStoreConfig } from '../store.ts'
import { integerIn } from '../values.ts'

interface Flags {
  dryRun?: true
  parallel: number
  json?: true
}

/** How many tags came to which result, and how many documents they are of. */
type Totals = Partial<Record<ConvertedResult, number>> & { documents: number }

const command = createCommand(
  'bun run convert',
  'Turns the tags of a bucket that was written before there were records into records, in place. ' +
    'Can be repeated, and stopped at any time.',
)
  .option('--dry-run', 'write and remove nothing, and list what would be converted')
  .option('--parallel <n>', 'documents to work on at once', integerIn(1, 64), 8)
  .option('--json', 'one JSON object per line')
  .addHelpText(
    'after',
    `
Removes the object of a tag once the record of its document holds it. Tags that are damaged stay, and are named.
Reads the same S3_* variables as the service. Run it before the service is started on such a bucket.`,
  )

/** Results that leave the tag where it is, for people to look at. */
const problems: Partial<Record<ConvertedResult, string>> = {
  damaged: 'is damaged: remove it, or move the tag again once the service runs, and then remove it',
  exhausted: 'has no place: the document has as many tags as it may have',
  busy: 'points to a version that is being deleted, or other clients keep changing its document: run this again',
  'record damaged': 'has to wait: the record of its document is damaged, see "scrub --repair"',
}

await runCommand<Flags>(command, async ({ dryRun = false, parallel, json }, { signal }) => {
  const { store, close } = openStore(await readStoreConfig())
  const report = createReport(json)
  const totals: Totals = { documents: 0 }
  try {
    for await (const converted of convert(store, { dryRun, parallelMax: parallel, signal })) {
      totals.documents += 1
      for (const { tag, result } of converted.tags) {
        totals[result] = (totals[result] ?? 0) + 1
        await reportTag(report, converted.ref, { tag, result, dryRun })
      }
    }
    return await reportTotals(report, totals, dryRun)
  } catch (error) {
    throw signal.aborted ? new IncompleteError('interrupted. Run it again.') : error
  } finally {
    close()
  }
})

function reportTag(
  report: Report,
  ref: Converted['ref'],
  { tag, result, dryRun }: { tag: string; result: ConvertedResult; dryRun: boolean },
): Promise<void> {
  const { tenant, type, name } = ref
  const event = { event: 'tag', ...ref, tag, result, dryRun }
  const what = `${tenant} ${type}/${name} tag ${tag}`
  const problem = problems[result]
  if (problem) return report(event, `✗ ${what} ${problem}`)
  if (result === 'dangling')
    return report(event, `– ${what} points to a version that does not exist: dropped`)
  return dryRun ? report(event, `+ ${what}`) : report(event)
}

async function reportTotals(report: Report, totals: Totals, dryRun: boolean): Promise<ExitCode> {
  const { documents, converted = 0, dangling = 0 } = totals
  const names = Object.keys(problems) as ConvertedResult[]
  const wrong = names.reduce((sum, result) => sum + (totals[result] ?? 0), 0)
  const done = `${documents} documents, ${converted} tags ${dryRun ? 'would be converted' : 'converted'}`
  const line = `${wrong === 0 ? '✓' : '✗'} ${done}, ${dangling} dropped; ${wrong} problems`
  await report({ event: 'summary', dryRun, documents, converted, dangling, problems: wrong }, line)
  return wrong === 0 ? exitCodes.done : exitCodes.failed
}
