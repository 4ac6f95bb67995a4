import type { Document } from '../../wire/answers.ts'
import type { Failure } from '../failures/failure.ts'
import type { DocumentAddress, PhaseProgress } from './worker-messages.ts'

export type TransferStatus =
  | 'waiting'
  | 'hashing'
  | 'sending'
  | 'verifying'
  | 'receiving'
  | 'waiting-for-sign-in'
  | 'done'
  | 'failed'
  | 'cancelled'

/** One upload or download, as it is shown. */
export interface Transfer {
  id: string
  kind: 'upload' | 'download'
  document: DocumentAddress
  sizeBytes: number
  status: TransferStatus
  /** Of the phase it is in; `null` before the first. */
  progress: PhaseProgress | null
  failure: Failure | null
  /** Why the bytes went through the service instead of straight to or from the store. */
  detour: string | null
  /** What an upload has published. */
  published: Document | null
  /** False where an upload was there before. */
  created: boolean
  /** Where the browser is to fetch a download too large to be verified here: a credential that lives minutes. */
  link: { url: string; digest: string } | null
}

export type TransferEvent =
  | { kind: 'added'; transfers: readonly Transfer[] }
  /** Again from the beginning, perhaps under another name. */
  | { kind: 'queued'; id: string; name?: string | undefined }
  | { kind: 'started'; id: string }
  | { kind: 'progress'; id: string; progress: PhaseProgress }
  | { kind: 'sign-in-awaited'; id: string }
  | { kind: 'sign-in-over'; id: string }
  | { kind: 'uploaded'; id: string; document: Document; created: boolean; detour: string | null }
  | { kind: 'downloaded'; id: string; detour: string | null }
  | { kind: 'linked'; id: string; link: NonNullable<Transfer['link']> }
  | { kind: 'failed'; id: string; failure: Failure }
  /** All that run or wait. */
  | { kind: 'all-failed'; failure: Failure }
  | { kind: 'cancelled'; id: string }
  | { kind: 'dismissed'; id: string }
  | { kind: 'cleared' }
  | { kind: 'emptied' }

/** At most this many at once: more would share the same connection. */
export const runningMax = 2

const phaseStatus = { hash: 'hashing', send: 'sending', verify: 'verifying', receive: 'receiving' } as const

/** Returns the list after an event. A transfer that is over stays so: late messages of the worker change nothing. */
export function transferList(list: readonly Transfer[], event: TransferEvent): readonly Transfer[] {
  switch (event.kind) {
    case 'added':
      return [...list, ...event.transfers]
    case 'dismissed':
      return list.filter(({ id, status }) => id !== event.id || !isOver(status))
    case 'cleared':
      return list.filter(({ status }) => !isOver(status) || status === 'failed')
    case 'all-failed':
      return list.map((transfer) => changed(transfer, { ...event, kind: 'failed', id: transfer.id }))
    case 'emptied':
      return []
    default:
      return list.map((transfer) => (transfer.id === event.id ? changed(transfer, event) : transfer))
  }
}

function changed(transfer: Transfer, event: TransferEvent): Transfer {
  if (event.kind === 'queued') return isOver(transfer.status) ? queued(transfer, event.name) : transfer
  if (isOver(transfer.status)) return transfer
  switch (event.kind) {
    case 'started':
      return { ...transfer, status: transfer.kind === 'upload' ? 'hashing' : 'receiving' }
    case 'progress':
      return { ...transfer, status: phaseStatus[event.progress.phase], progress: event.progress }
    case 'sign-in-awaited':
      return { ...transfer, status: 'waiting-for-sign-in' }
    case 'sign-in-over':
      return { ...transfer, status: statusOf(transfer) }
    case 'uploaded': {
      const { document, created, detour } = event
      return { ...transfer, status: 'done', published: document, created, detour }
    }
    case 'downloaded':
      return { ...transfer, status: 'done', detour: event.detour }
    case 'linked':
      return { ...transfer, status: 'done', link: event.link }
    case 'failed':
      return { ...transfer, status: 'failed', failure: event.failure }
    case 'cancelled':
      return { ...transfer, status: 'cancelled' }
    default:
      return transfer
  }
}

function queued(transfer: Transfer, name = transfer.document.name): Transfer {
  return { ...transfer, ...fresh, document: { ...transfer.document, name } }
}

const fresh = { status: 'waiting', progress: null, failure: null, detour: null, link: null } as const

function statusOf({ kind, progress }: Transfer): TransferStatus {
  if (progress) return phaseStatus[progress.phase]
  return kind === 'upload' ? 'hashing' : 'receiving'
}

/** Returns whether a transfer has ended, with or without success. */
export function isOver(status: TransferStatus): boolean {
  return status === 'done' || status === 'failed' || status === 'cancelled'
}

/** Returns whether a transfer has begun and not ended. */
export function isRunning(status: TransferStatus): boolean {
  return !isOver(status) && status !== 'waiting'
}

/** Which of those that wait may begin now, in their order. */
export function nextToStart(list: readonly Transfer[]): Transfer[] {
  const free = runningMax - list.filter(({ status }) => isRunning(status)).length
  return list.filter(({ status }) => status === 'waiting').slice(0, Math.max(free, 0))
}
