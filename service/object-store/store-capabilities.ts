/** How uploads are handed to clients: as a signed form or as a presigned PUT. */
export type TicketMethod = 'POST' | 'PUT'

/**
 * What is known of the store that matters for safety. Nothing is taken for granted: what was not seen, or not seen
 * yet, counts as absent.
 */
export interface StoreCapabilities {
  /** `none`: no method is safe on this store. `unknown`: not determined yet. */
  ticketMethod: TicketMethod | 'none' | 'unknown'
  /** The store refused bytes of another SHA-256 than the ticket's, and reports the one that it checked. */
  digestEnforced: boolean
  /** A copy with a stale `x-amz-copy-source-if-match` was refused. */
  copyPinHonoured: boolean
  /** If-Match on a put is compare-and-set, also under a race. */
  conditionalOverwrite: 'yes' | 'no' | 'unknown'
  /** A listing that begins after a key is complete, also where names begin alike. */
  startAfterExact: boolean
}

/** What is known before the store was asked. */
export const nothingKnown: StoreCapabilities = {
  ticketMethod: 'unknown',
  digestEnforced: false,
  copyPinHonoured: false,
  conditionalOverwrite: 'unknown',
  startAfterExact: false,
}

/** Returns the state of each capability as a word, for metrics. */
export function capabilityStates(known: StoreCapabilities): Record<string, string> {
  return {
    ticket_method: known.ticketMethod.toLowerCase(),
    digest_enforced: known.digestEnforced ? 'yes' : 'no',
    copy_pin_honoured: known.copyPinHonoured ? 'yes' : 'no',
    conditional_overwrite: known.conditionalOverwrite,
    start_after_exact: known.startAfterExact ? 'yes' : 'no',
  }
}
