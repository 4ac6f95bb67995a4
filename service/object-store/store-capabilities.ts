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
  /**
   * Bytes of another SHA-256 than `x-amz-checksum-sha256` were refused, in one piece and as a part, and reads report the
   * one that was checked.
   */
  checksumKept: boolean
  /** A copy in parts was refused where its source had changed, and where its target existed. */
  copyOnce: boolean
  /** If-None-Match: * on a put keeps an existing key, also under a race. */
  conditionalPut: 'yes' | 'no' | 'unknown'
  /** If-Match on a put is compare-and-set, also under a race. */
  conditionalOverwrite: 'yes' | 'no' | 'unknown'
  /** A listing that begins after a key is complete, also where names begin alike. */
  startAfterExact: boolean
}

/** What is known before the store was asked. */
export const nothingKnown: StoreCapabilities = {
  ticketMethod: 'unknown',
  digestEnforced: false,
  checksumKept: false,
  copyOnce: false,
  conditionalPut: 'unknown',
  conditionalOverwrite: 'unknown',
  startAfterExact: false,
}

/** Returns the state of each capability as a word, for metrics. */
export function capabilityStates(known: StoreCapabilities): Record<string, string> {
  return {
    ticket_method: known.ticketMethod.toLowerCase(),
    digest_enforced: known.digestEnforced ? 'yes' : 'no',
    checksum_kept: known.checksumKept ? 'yes' : 'no',
    copy_once: known.copyOnce ? 'yes' : 'no',
    conditional_put: known.conditionalPut,
    conditional_overwrite: known.conditionalOverwrite,
    start_after_exact: known.startAfterExact ? 'yes' : 'no',
  }
}
