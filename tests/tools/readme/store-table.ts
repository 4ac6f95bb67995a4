import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Verdict } from '../../../service/object-store/probe/finding.ts'
import { capabilitiesOf, probeRows, severityOf } from '../../../service/object-store/probe/probe.ts'
import { explainTickets } from '../../../service/object-store/probe/tickets.ts'
import { knownFindings } from '../../support/stores/known-capabilities.ts'
import { type StoreKind, storeColumns } from '../../support/stores/store-findings.ts'

/**
 * Prints the table of what each store can do, or puts it between the marks of a README:
 * `bun tests/tools/readme/store-table.ts [--write service/object-store/README.md]`.
 */

export const tableBegin = '<!-- stores:begin -->'
export const tableEnd = '<!-- stores:end -->'

export const marks: Record<Verdict, string> = { yes: '✓', no: '✗', unknown: '?' }
const fitness = ['fit', 'fit with limits', 'unfit']

/** One row for each question of the probe, one column for each store, and what follows at the end. */
export function storeTable(): string {
  const stores = storeColumns.map(({ kind, title }) => ({ title, findings: knownFindings(kind) }))
  const head = ['Row', 'Question', ...stores.map(({ title }) => title), 'Otherwise']
  const rows = probeRows.map(({ id, question, whenNo }, row) => [
    `\`${id}\``,
    question,
    ...stores.map(({ findings }) => marks[findings[row]?.verdict ?? 'unknown']),
    whenNo,
  ])
  return [head, head.map(() => '---'), ...rows, ...whatFollows(storeColumns.map(({ kind }) => kind))]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
}

function whatFollows(kinds: StoreKind[]): string[][] {
  const all = kinds.map(knownFindings)
  const row = (name: string, cellOf: (findings: (typeof all)[number]) => string) => [
    `**${name}**`,
    '',
    ...all.map(cellOf),
    '',
  ]
  return [
    row('tickets', (findings) => capabilitiesOf(findings).ticketMethod),
    row('completion', (findings) => explainTickets(findings).completion.replace(/:.*/, '')),
    row('`doctor`', (findings) => fitness[severityOf(findings)] ?? ''),
  ]
}

/**
 * `document` with the table between its marks.
 *
 * @throws where the two marks are not there, in this order.
 */
export function withStoreTable(document: string): string {
  const begin = document.indexOf(tableBegin)
  const end = document.indexOf(tableEnd)
  if (begin < 0 || end < begin) throw new Error(`the document has no ${tableBegin} … ${tableEnd}`)
  return `${document.slice(0, begin + tableBegin.length)}\n${storeTable()}\n${document.slice(end)}`
}

async function main(): Promise<void> {
  const { write } = parseArgs({ options: { write: { type: 'string' } } }).values
  if (write === undefined) process.stdout.write(`${storeTable()}\n`)
  else await writeFile(write, withStoreTable(await readFile(write, 'utf8')))
}

if (import.meta.main) await main()
