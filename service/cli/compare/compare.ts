import { type Compared, compareStores } from '../../documents/maintenance/store-comparison.ts'
import { createCommand, exitCodes, runCommand } from '../command.ts'
import { formatBytes, printJson, printLine } from '../output.ts'
import { startProgress } from '../progress.ts'
import { type PairFlags, withPair, withStorePair } from '../store.ts'

interface Flags extends PairFlags {
  /** Commander's form of `--no-bytes`. */
  bytes: boolean
}

interface Totals {
  versions: number
  records: number
  tags: number
  bytes: number
  differing: number
}

const command = withPair(
  createCommand(
    'bun run compare',
    'Reads every document of two stores, hashes it, and names every difference. Changes nothing.',
  ),
).option('--no-bytes', 'trust sizes and metadata, and read no document')

await runCommand<Flags>(command, (flags, { signal }) =>
  withStorePair(flags, async ({ source, target }) => {
    const { json = false, bytes } = flags
    const totals: Totals = { versions: 0, records: 0, tags: 0, bytes: 0, differing: 0 }
    const { onProgress, stop } = startProgress('compare')
    let read = 0
    const options = {
      bytes,
      parallelMax: flags.parallel,
      bytesPerSecondMax: flags.rate,
      onBytes(more: number) {
        read += more
        onProgress?.({ bytes: read, totalBytes: null })
      },
      signal,
    }
    try {
      for await (const compared of compareStores(source.store, target.store, options)) {
        add(totals, compared)
        if (compared.differences.length > 0) await printDifference(compared, json)
      }
    } finally {
      stop()
    }
    if (json) await printJson({ event: 'summary', from: source.place, to: target.place, ...totals })
    else await printLine(summaryOf(totals, bytes))
    return totals.differing === 0 ? exitCodes.done : exitCodes.failed
  }),
)

function add(totals: Totals, { ref, differences, hashed }: Compared): void {
  if ('digest' in ref) totals.versions += 1
  else if ('tag' in ref) totals.tags += 1
  else totals.records += 1
  totals.bytes += hashed
  if (differences.length > 0) totals.differing += 1
}

function printDifference({ ref, differences }: Compared, json: boolean): Promise<void> {
  if (json) return printJson({ event: 'difference', ...ref, differences })
  const { tenant, type, name } = ref
  const what = 'digest' in ref ? ref.digest : 'tag' in ref ? `tag ${ref.tag}` : 'record'
  return printLine(`✗ ${tenant} ${type}/${name} ${what}: ${differences.join(', ')}`)
}

function summaryOf({ versions, tags, bytes, differing }: Totals, hashed: boolean): string {
  const looked = hashed ? `${formatBytes(bytes)} hashed` : 'no bytes were read'
  return `${differing === 0 ? '✓' : '✗'} ${versions} versions and ${tags} tags, ${looked}; ${differing} differ`
}
