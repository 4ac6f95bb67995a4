import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { ProofFacts } from '../../../observability/proof/checks/proof-check.ts'
import { allChecks } from '../../../observability/proof/plan.ts'

/**
 * Prints the table of all checks, or puts it between the marks of a README:
 * `bun tests/tools/readme/check-table.ts [--write observability/proof/README.md]`.
 */

export const tableBegin = '<!-- checks:begin -->'
export const tableEnd = '<!-- checks:end -->'

/** One row for each check. */
export function checkTable(): string {
  const head = ['Check', 'Proves', 'When', 'How it can fail']
  const rows = allChecks.map((check) => [`\`${check.id}\``, check.sentence, when(check), check.failures])
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
}

function when({ part, notOutside }: ProofFacts): string {
  if (part === 'outside') return '`--against`'
  const own = part === 'all' ? '`--all`' : 'always'
  return notOutside === undefined ? own : `${own}, not \`--against\`: ${notOutside}`
}

/**
 * `document` with the table between its marks.
 *
 * @throws where the two marks are not there, in this order.
 */
export function withCheckTable(document: string): string {
  const begin = document.indexOf(tableBegin)
  const end = document.indexOf(tableEnd)
  if (begin < 0 || end < begin) throw new Error(`the document has no ${tableBegin} … ${tableEnd}`)
  return `${document.slice(0, begin + tableBegin.length)}\n${checkTable()}\n${document.slice(end)}`
}

async function main(): Promise<void> {
  const { write } = parseArgs({ options: { write: { type: 'string' } } }).values
  if (write === undefined) process.stdout.write(`${checkTable()}\n`)
  else await writeFile(write, withCheckTable(await readFile(write, 'utf8')))
}

if (import.meta.main) await main()
