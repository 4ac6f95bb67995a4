/** How far a transfer is. */
export interface TransferProgress {
  bytes: number
  /** `null` for a stream whose size was not given. */
  totalBytes: number | null
}

export type OnProgress = (progress: TransferProgress) => void

/** The phase of an upload: reading the source for its digest, sending, or waiting for the service to verify it. */
export type UploadPhase = 'hash' | 'send' | 'verify'

/** `bytes` begins at zero with each phase, and with each new attempt to send. */
export interface UploadProgress extends TransferProgress {
  phase: UploadPhase
}

export type OnUploadProgress = (progress: UploadProgress) => void

/** Returns `onProgress` for a part of the upload that knows nothing of phases; `undefined` stays so. */
export function inPhase(
  phase: UploadPhase,
  onProgress: OnUploadProgress | undefined,
): OnProgress | undefined {
  return onProgress && ((progress) => onProgress({ phase, ...progress }))
}
