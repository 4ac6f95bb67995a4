/** How far a transfer is. */
export interface TransferProgress {
  bytes: number
  /** `null` for a stream whose size was not given. */
  totalBytes: number | null
}

export type OnProgress = (progress: TransferProgress) => void
