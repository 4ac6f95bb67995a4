import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { joinChecks } from '../../../observability/proof/checks/join-checks.ts'
import { lokiChecks } from '../../../observability/proof/checks/loki-checks.ts'
import { outsideLokiChecks, outsideTempoChecks } from '../../../observability/proof/checks/outside-checks.ts'
import { tempoChecks } from '../../../observability/proof/checks/tempo-checks.ts'
import { failures } from '../../../observability/proof/failures.ts'
import { setupCheck } from '../../../observability/proof/setup.ts'
import type { Check } from '../../../service/cli/checks/check.ts'

/**
 * Prints the table of all checks, or puts it between the marks of a README:
 * `bun tests/tools/readme/check-table.ts [--write observability/proof/README.md]`.
 */

export const tableBegin = '<!-- checks:begin -->'
export const tableEnd = '<!-- checks:end -->'

type Row = Pick<Check<unknown>, 'id' | 'sentence' | 'part' | 'notOutside'>

/** All checks there are, in the order of a report. */
export const allChecks: readonly Row[] = [
  { ...setupCheck, part: 'default' },
  ...withOutside(lokiChecks, outsideLokiChecks),
  ...withOutside(tempoChecks, outsideTempoChecks),
  ...joinChecks,
]

/** What only a running deployment is asked stands before the others. */
function withOutside(own: readonly Row[], outside: readonly Row[]): Row[] {
  return [...outside.filter(({ part }) => part === 'outside'), ...own]
}

/** One row for each check. */
export function checkTable(): string {
  const head = ['Check', 'Proves', 'When', 'How it can fail']
  const rows = allChecks.map((check) => [
    `\`${check.id}\``,
    check.sentence,
    when(check),
    failures[check.id] ?? '',
  ])
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
}

function when({ part, notOutside }: Row): string {
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
