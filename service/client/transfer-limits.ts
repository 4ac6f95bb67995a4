const MiB = 1024 * 1024

/** Limits of transfers that go straight to the store; each can be set for a client. */
export interface TransferLimits {
  /** Blobs and bytes from this size on are uploaded by ticket. */
  ticketBytesMin: number
  /** How often an upload is sent to the store, all its tickets together, the first time included. */
  sendAttemptsMax: number
  /** How often a small call that is safe to repeat is made, the first time included. */
  callAttemptsMax: number
  /** The first pause before a repetition is at most this; each further one at most twice the one before. */
  retrySecondsBase: number
  /** No pause is longer, even if `Retry-After` asks for it. */
  retrySecondsMax: number
  /** A store that takes no byte for this long counts as stalled. */
  storeIdleSecondsMax: number
  /** How long a store may take to answer an upload that has arrived, or a download. */
  storeAnswerSecondsMax: number
  /** How long the service may take to verify and publish before the caller is asked to return later. */
  completionSecondsMax: number
}

export const defaultTransferLimits: TransferLimits = {
  // Below, three calls in place of one cost more than the way through the service.
  ticketBytesMin: 64 * MiB,
  sendAttemptsMax: 4,
  callAttemptsMax: 5,
  retrySecondsBase: 0.5,
  retrySecondsMax: 30,
  storeIdleSecondsMax: 30,
  storeAnswerSecondsMax: 120,
  // 5 GiB at 3 MiB/s.
  completionSecondsMax: 30 * 60,
}

/** Returns the defaults with the members that a caller sets; `undefined` counts as not given. */
export function transferLimits(given: Partial<TransferLimits> = {}): TransferLimits {
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...defaultTransferLimits, ...Object.fromEntries(set) }
}
