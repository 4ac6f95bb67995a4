/** How long the checks wait for what should happen; longer means that it did not. In seconds. */
export interface Waits {
  /** From a flush to the object in the bucket: at once, or after the half minute that Tempo waits where a write failed. */
  landing: number
  /** Until a server that cannot reach its store has noticed. */
  refusal: number
  /** From the end of an outage to the objects in the bucket: Loki and Tempo wait half a minute before they try again. */
  recovery: number
  /** Until retention and deletion have removed their objects; measured: one to two minutes. */
  removal: number
}

export const defaultWaits: Waits = { landing: 45, refusal: 45, recovery: 150, removal: 300 }
