import type { Document } from '../../wire/answers.ts'
import type { Failure } from '../failures/failure.ts'

/** What the page and the transfer worker say to each other. Tokens go to the worker one by one, as it needs them. */

export interface DocumentAddress {
  tenant: string
  type: string
  name: string
}

interface StartTransfer {
  /** Of the transfer; unique in this page. */
  id: string
  document: DocumentAddress
  /** Where the service is. */
  origin: string
  /** All calls of a transfer carry it. */
  traceId: string
}

export interface StartUpload extends StartTransfer {
  kind: 'upload'
  file: File
  contentType: string
  ticketBytesMin: number | undefined
}

export interface StartDownload extends StartTransfer {
  kind: 'download'
  /** `sha256:…` */
  digest: string
}

export type ToWorker =
  | StartUpload
  | StartDownload
  | { kind: 'cancel'; id: string }
  /** The answer to `token-wanted`; `null` where there will be none. */
  | { kind: 'token'; id: string; token: string | null }

export type TransferPhase = 'hash' | 'send' | 'verify' | 'receive'

export interface PhaseProgress {
  phase: TransferPhase
  bytes: number
  /** `null` where it is not known. */
  totalBytes: number | null
}

export type FromWorker =
  | { kind: 'progress'; id: string; progress: PhaseProgress }
  | { kind: 'token-wanted'; id: string; refused: string | null }
  | { kind: 'uploaded'; id: string; document: Document; created: boolean; detour: string | null }
  | { kind: 'downloaded'; id: string; blob: Blob; detour: string | null }
  | { kind: 'cancelled'; id: string }
  | { kind: 'failed'; id: string; failure: Failure }
