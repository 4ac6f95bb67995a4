import { type ProofFacts, setupFacts } from '../../../observability/proof/checks/proof-check.ts'
import { joinChecks, outsideChecks, ownChecks } from '../../../observability/proof/plan.ts'
import { markdownTable } from './markdown-table.ts'

const allChecks: readonly ProofFacts[] = [
  setupFacts,
  ...(['loki', 'tempo'] as const).flatMap((server) => [
    // Those that only a running deployment is asked come first.
    ...outsideChecks[server].filter(({ part }) => part === 'outside'),
    ...ownChecks[server],
  ]),
  ...joinChecks.own,
]

/** Returns the checks of the proof as a Markdown table: what each proves, when it runs, and how it can fail. */
export function checkTable(): string {
  const head = ['Check', 'Proves', 'When', 'How it can fail']
  const rows = allChecks.map((check) => [`\`${check.id}\``, check.sentence, when(check), check.failures])
  return markdownTable(head, rows)
}

function when({ part, notOutside }: ProofFacts): string {
  if (part === 'outside') return '`--against`'
  const own = part === 'all' ? '`--all`' : 'always'
  return notOutside === undefined ? own : `${own}, not \`--against\`: ${notOutside}`
}
