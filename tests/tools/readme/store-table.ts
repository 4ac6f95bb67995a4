import type { Verdict } from '../../../service/object-store/probe/finding.ts'
import { capabilitiesOf, probeRows, severityOf } from '../../../service/object-store/probe/probe.ts'
import { explainTickets } from '../../../service/object-store/probe/tickets.ts'
import { knownFindings } from '../../support/stores/known-capabilities.ts'
import { type StoreKind, storeColumns } from '../../support/stores/store-findings.ts'
import { markdownTable } from './markdown-table.ts'

export const marks: Record<Verdict, string> = { yes: '✓', no: '✗', unknown: '?' }
const fitness = ['fit', 'fit with limits', 'unfit']

/**
 * Returns what each store can do as a Markdown table: one row for each question of the probe, one column for each store,
 * and what follows at the end.
 */
export function storeTable(): string {
  const stores = storeColumns.map(({ kind, title }) => ({ title, findings: knownFindings(kind) }))
  const head = ['Row', 'Question', ...stores.map(({ title }) => title), 'Otherwise']
  const rows = probeRows.map(({ id, question, whenNo }, row) => [
    `\`${id}\``,
    question,
    ...stores.map(({ findings }) => marks[findings[row]?.verdict ?? 'unknown']),
    whenNo,
  ])
  return markdownTable(head, [...rows, ...whatFollows(storeColumns.map(({ kind }) => kind))])
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
