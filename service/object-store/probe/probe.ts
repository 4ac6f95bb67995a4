import type { S3Connection } from '../s3/connection.ts'
import type { StoreCapabilities } from '../store-capabilities.ts'
import { basicRows } from './basics.ts'
import { bucketRows } from './bucket.ts'
import type { Finding, FindingId, ProbeRow, Verdict } from './finding.ts'
import { createScratch, type Scratch, type ScratchOptions } from './scratch.ts'
import { transferRows } from './transfers.ts'
import { writeRows } from './writes.ts'

/** Every question to the store, in the order in which they are asked and shown. */
export const probeRows: readonly ProbeRow[] = [...basicRows, ...writeRows, ...transferRows, ...bucketRows]

export interface ProbeReport {
  /** One for each row, in the order of the rows. */
  findings: Finding[]
  /** Keys of the probe's own that could not be removed. */
  left: string[]
}

export interface ProbeOptions extends ScratchOptions {
  /** Ask only the rows that the service behaves by, as at its start. */
  securityOnly?: boolean
  /** Called with each finding as soon as it is known, for a progress display. */
  onFinding?: (finding: Finding) => void
  /** Ends the questions; rows that were not asked are unknown, and the clean-up still runs. */
  signal?: AbortSignal
}

/**
 * Asks the store what it really does, on keys of the probe's own under `<prefix>staging/`, which it removes.
 * Never throws because of the store. Where the bucket cannot be reached, nothing more is asked.
 *
 * @param prefix of the documents, such as `docs/`.
 */
export async function probeStore(
  connection: S3Connection,
  prefix: string,
  options: ProbeOptions = {},
): Promise<ProbeReport> {
  const scratch = createScratch(connection, prefix, options)
  const findings: Finding[] = []
  let whyNot = ''
  let left: string[] = []
  try {
    for (const row of probeRows) {
      if (options.securityOnly && !row.security) continue
      if (options.signal?.aborted) whyNot = 'not asked: interrupted'
      const finding = whyNot === '' ? await ask(row, scratch) : notAsked(row, whyNot)
      findings.push(finding)
      options.onFinding?.(finding)
      if (whyNot === '') whyNot = reasonToStop(finding, scratch)
    }
  } finally {
    left = await scratch.cleanUp()
  }
  return { findings, left }
}

async function ask(row: ProbeRow, scratch: Scratch): Promise<Finding> {
  const observation = await row.ask(scratch)
  return { ...findingOf(row, observation.verdict), ...observation }
}

function notAsked(row: ProbeRow, seen: string): Finding {
  return { ...findingOf(row, 'unknown'), seen }
}

function findingOf(row: ProbeRow, verdict: Verdict): Finding {
  const { id, question, weight } = row
  return { id, question, weight, verdict, seen: '', consequence: consequenceOf(row, verdict) }
}

/** Returns what follows from the answer. */
export function consequenceOf({ whenYes, whenNo, whenUnknown }: ProbeRow, verdict: Verdict): string {
  if (verdict === 'yes') return whenYes
  return verdict === 'no' ? whenNo : (whenUnknown ?? `taken for a no: ${whenNo}`)
}

/** Each further question to a store that does not answer would wait for its time-out. */
function reasonToStop({ id, verdict }: Finding, scratch: Scratch): string {
  const silent = scratch.isSilent() || (id === 'credentials' && verdict === 'unknown')
  if (silent) return 'not asked: the store does not answer'
  if (id === 'bucket' && verdict !== 'yes') return 'not asked: the bucket cannot be reached'
  return ''
}

/** Returns what the service may rely on. A row that was not asked or not answered is never a yes. */
export function capabilitiesOf(findings: readonly Finding[]): StoreCapabilities {
  const verdictOf = (...ids: FindingId[]) => together(findings, ids)
  const ticketMethod = ticketMethodOf(verdictOf(...formRows), verdictOf(...putRows))
  const digestRow = ticketMethod === 'PUT' ? 'presigned-put-digest' : 'post-policy-digest'
  return {
    ticketMethod,
    digestEnforced: verdictOf(digestRow) === 'yes',
    checksumKept: verdictOf('checksum-put') === 'yes',
    copyOnce: verdictOf('copy-once') === 'yes',
    conditionalPut: verdictOf('conditional-put'),
    conditionalOverwrite: verdictOf('conditional-overwrite'),
    startAfterExact: verdictOf('list-after') === 'yes',
  }
}

/** All of these must be a yes before a ticket may be a signed form. */
export const formRows = ['post-policy', 'post-policy-bounds', 'post-policy-header'] as const

/** The same for a presigned PUT. */
export const putRows = [
  'presigned-put',
  'presigned-put-bounds',
  'presigned-put-copy',
  'presigned-put-headers',
] as const

/** One no decides; otherwise one unknown leaves it open. */
function together(findings: readonly Finding[], ids: readonly FindingId[]): Verdict {
  const verdicts = ids.map((id) => findings.find((finding) => finding.id === id)?.verdict ?? 'unknown')
  if (verdicts.includes('no')) return 'no'
  return verdicts.includes('unknown') ? 'unknown' : 'yes'
}

/** Forms first: they have shown no hole anywhere. */
function ticketMethodOf(form: Verdict, put: Verdict): StoreCapabilities['ticketMethod'] {
  if (form === 'yes') return 'POST'
  if (form === 'unknown') return 'unknown'
  if (put === 'yes') return 'PUT'
  return put === 'unknown' ? 'unknown' : 'none'
}

/** Returns 0 for fit, 1 for fit with limits, 2 for unfit. A store without safe tickets has a limit. */
export function severityOf(findings: readonly Finding[]): 0 | 1 | 2 {
  const missing = findings.filter(({ verdict }) => verdict !== 'yes')
  if (missing.some(({ weight }) => weight === 'essential')) return 2
  const { ticketMethod } = capabilitiesOf(findings)
  const noTickets = ticketMethod !== 'POST' && ticketMethod !== 'PUT'
  return noTickets || missing.some(({ weight }) => weight === 'limit') ? 1 : 0
}
