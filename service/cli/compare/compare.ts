import { beginTallies } from '../../documents/maintenance/recount.ts'
import { type Compared, compareStores } from '../../documents/maintenance/store-comparison.ts'
import type { Side } from '../../documents/maintenance/store-side.ts'
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
    const leftOut: Record<Side, number> = { source: 0, target: 0 }
    try {
      const tallies = await beginTallies(source.store, target.store, { signal })
      for await (const compared of compareStores(source.store, target.store, { ...options, tallies })) {
        add(totals, compared)
        if (compared.differences.length > 0) await printDifference(compared, json)
      }
      for (const side of ['source', 'target'] as const)
        leftOut[side] = await tallies[side].leftOut({ signal })
    } finally {
      stop()
    }
    const isWhole = leftOut.source + leftOut.target === 0
    if (json) await printJson({ event: 'summary', from: source.place, to: target.place, ...totals, leftOut })
    else {
      if (!isWhole) await printLine(leftOutSentence(leftOut))
      await printLine(summaryOf(totals, bytes, isWhole))
    }
    return isWhole && totals.differing === 0 ? exitCodes.done : exitCodes.failed
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

function leftOutSentence({ source, target }: Record<Side, number>): string {
  return `✗ the listings left out versions, ${source} of the source and ${target} of the target: run it again`
}

function summaryOf({ versions, tags, bytes, differing }: Totals, hashed: boolean, isWhole: boolean): string {
  const looked = hashed ? `${formatBytes(bytes)} hashed` : 'no bytes were read'
  return `${differing === 0 && isWhole ? '✓' : '✗'} ${versions} versions and ${tags} tags, ${looked}; ${differing} differ`
}
