/**
 * Deletes of this replica, for uploads to know whether one ran beside them: only then need they look whether
 * their version is still there, which would else cost every upload a call to the store.
 */
export interface Deletions {
  run(work: () => Promise<void>): Promise<void>
  /** @returns a function that says whether a delete has been under way at any time since. */
  watch(): () => boolean
}

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
