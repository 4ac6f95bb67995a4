import type { Finding, Verdict } from '../../object-store/probe/finding.ts'
import { capabilitiesOf, type ProbeReport, severityOf } from '../../object-store/probe/probe.ts'
import { explainTickets, type TicketExplanation } from '../../object-store/probe/tickets.ts'
import type { StoreCapabilities } from '../../object-store/store-capabilities.ts'
import { exitCodes } from '../command.ts'
import { textTable } from '../output.ts'

/** Everything that `doctor` found, as `--json` prints it. */
export interface Diagnosis extends ProbeReport {
  store: { endpoint: string; bucket: string; prefix: string }
  verdict: 'fit' | 'fit with limits' | 'unfit'
  exitCode: 0 | 1 | 3
  /** The findings that keep it from being simply fit. */
  because: string[]
  tickets: TicketExplanation
  capabilities: StoreCapabilities
}

const verdicts = ['fit', 'fit with limits', 'unfit'] as const
/** An unfit store lacks what the service needs, as one does that is out of reach. */
const verdictCodes = [exitCodes.done, exitCodes.failed, exitCodes.incomplete] as const

/** Returns what follows from the findings of a probe of `store`. */
export function diagnosisOf(store: Diagnosis['store'], report: ProbeReport): Diagnosis {
  const { findings, left } = report
  const severity = severityOf(findings)
  const tickets = explainTickets(findings)
  return {
    store,
    verdict: verdicts[severity],
    exitCode: verdictCodes[severity],
    because: reasonsFor(findings, tickets),
    tickets,
    capabilities: capabilitiesOf(findings),
    findings,
    left,
  }
}

function reasonsFor(findings: readonly Finding[], { method }: TicketExplanation): string[] {
  const heavy = findings
    .filter(({ weight, verdict }) => weight !== 'note' && verdict !== 'yes')
    .filter(({ seen }) => !seen.startsWith('not asked'))
  const essential = heavy.filter(({ weight }) => weight === 'essential')
  // Anything else that is missing follows from them.
  if (essential.length > 0) return essential.map(reason)
  const noTickets = method === 'POST' || method === 'PUT' ? [] : ['no safe way of uploading by ticket']
  return [...heavy.map(reason), ...noTickets]
}

function reason({ id, seen }: Finding): string {
  return `${id} (${seen})`
}

const marks: Record<Verdict, string> = { yes: '✓', no: '✗', unknown: '?' }

/**
 * Returns the table and the sentences under it, for people.
 *
 * @param columns width of the terminal; default: a line that most of them hold.
 */
export function diagnosisText(diagnosis: Diagnosis, columns = 140): string {
  const { store, findings, tickets, verdict, because, exitCode } = diagnosis
  const rows = findings.map((finding) => [
    marks[finding.verdict],
    finding.question,
    finding.seen,
    finding.consequence,
  ])
  const lines = [
    `store: ${store.endpoint}, bucket ${store.bucket}, keys under ${store.prefix}`,
    '',
    textTable(['', 'question', 'seen', 'what follows'], rows, columns),
    '',
    `tickets: ${tickets.why}`,
    tickets.copyHoleLine,
    `completed uploads: ${tickets.completion}`,
    cleanUpLine(diagnosis),
    `${store.bucket} is ${verdict} (exit code ${exitCode})${because.length > 0 ? `: ${because.join('; ')}` : ''}`,
  ]
  return `${lines.join('\n')}\n`
}

function cleanUpLine({ left, findings }: Diagnosis): string {
  const keepsVersions = findings.some(({ id, verdict }) => id === 'versioning' && verdict === 'yes')
  if (left.length === 0) {
    const kept = keepsVersions
      ? '; the bucket keeps their old versions until a lifecycle rule expires them'
      : ''
    return `clean-up: all keys of this probe were removed${kept}`
  }
  return `clean-up: these keys could not be removed; delete them by hand: ${left.join(', ')}`
}
