/**
 * Deletions on this replica. An upload asks whether one ran at the same time: only then must it look whether its
 * version is still there, which would otherwise cost every upload a call to the store.
 */
export interface Deletions {
  /** Counts as a deletion while `work` runs. */
  run(work: () => Promise<void>): Promise<void>
  /** Returns a function that says whether a deletion has been under way at any time since. */
  watch(): () => boolean
}

/** Returns the counters. One per process. */
export function createDeletions(): Deletions {
  let begun = 0
  let underWay = 0
  return {
    async run(work) {
      begun += 1
      underWay += 1
      try {
        await work()
      } finally {
        underWay -= 1
      }
    },

    watch() {
      const begunBefore = begun
      const underWayBefore = underWay > 0
      return () => underWayBefore || begun !== begunBefore
    },
  }
}
