import type { StoreCapabilities } from '../store-capabilities.ts'
import type { Finding, FindingId } from './finding.ts'
import { capabilitiesOf, formRows, putRows } from './probe.ts'

/** How uploads by ticket work on this store, in sentences for operators. */
export interface TicketExplanation {
  method: StoreCapabilities['ticketMethod']
  why: string
  /** Copy hole of presigned PUTs (CVE-2026-54330). `present` was exploited; `unknown` counts as present. */
  copyHole: 'present' | 'absent' | 'unknown'
  /** One line: `copy hole: present → PUT tickets are off`. */
  copyHoleLine: string
  /** What `complete` does with the bytes, and why. */
  completion: string
}

/** Explains which method tickets use on a store with these findings, and why. */
export function explainTickets(findings: readonly Finding[]): TicketExplanation {
  const capabilities = capabilitiesOf(findings)
  const copyHole = copyHoleOf(findings)
  return {
    method: capabilities.ticketMethod,
    why: reasonFor(capabilities.ticketMethod, findings),
    copyHole,
    copyHoleLine: `copy hole: ${copyHole} → ${putTickets(copyHole, findings)}`,
    completion: completionOf(capabilities),
  }
}

function copyHoleOf(findings: readonly Finding[]): TicketExplanation['copyHole'] {
  const finding = findings.find(({ id }) => id === 'presigned-put-copy')
  if (finding?.exploited) return 'present'
  return finding?.verdict === 'yes' ? 'absent' : 'unknown'
}

function putTickets(copyHole: TicketExplanation['copyHole'], findings: readonly Finding[]): string {
  if (copyHole !== 'absent') return 'PUT tickets are off'
  const open = notYes(putRows, findings)
  return open.length === 0 ? 'PUT tickets possible' : `PUT tickets are still off: ${open.join(', ')}`
}

function reasonFor(method: StoreCapabilities['ticketMethod'], findings: readonly Finding[]): string {
  const form = notYes(formRows, findings).join(', ')
  const put = notYes(putRows, findings).join(', ')
  switch (method) {
    case 'POST':
      return 'signed forms (POST policy): bound to key, size, type, fields and time, and without a copy hole'
    case 'PUT':
      return `presigned PUT: unsigned x-amz-* headers are refused here, and forms are out (${form})`
    case 'none':
      return `none: neither way is safe on this store, uploads go through the service (forms: ${form}; PUT: ${put})`
    case 'unknown':
      return `none for now: it could not be found out which way is safe (forms: ${form || 'safe'}; PUT: ${put || 'safe'})`
  }
}

function completionOf({ digestEnforced, copyOnce, ticketMethod }: StoreCapabilities): string {
  if (ticketMethod === 'none' || ticketMethod === 'unknown') return 'nothing to complete without tickets'
  if (digestEnforced && copyOnce) {
    return 'published by a copy inside the store: it enforced the digest, and copies exactly once'
  }
  if (digestEnforced)
    return 'streamed through the service: the store enforced the digest, but does not copy exactly once'
  return 'read, hashed and streamed by the service: the store does not enforce the digest'
}

/** Returns `post-policy-bounds no` and the like for each row that is not a yes. */
function notYes(ids: readonly FindingId[], findings: readonly Finding[]): string[] {
  return ids
    .map((id) => ({ id, verdict: findings.find((finding) => finding.id === id)?.verdict ?? 'unknown' }))
    .filter(({ verdict }) => verdict !== 'yes')
    .map(({ id, verdict }) => `${id} ${verdict}`)
}
