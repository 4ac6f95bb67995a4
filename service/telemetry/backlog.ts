/** Counts what waits for its export or is under way, and turns away what is beyond: memory stays bounded. */
export interface Backlog {
  /** False if there is no room; it is then the caller's to let go. */
  admit(): boolean
  /** That many have left, however it ended for them. */
  release(count: number): void
  waiting(): number
}

/** @param onRefused told of each one that found no room. */
export function createBacklog(itemsMax: number, onRefused: () => void): Backlog {
  let items = 0
  return {
    admit() {
      if (items >= itemsMax) {
        onRefused()
        return false
      }
      items += 1
      return true
    },
    release(count) {
      items -= count
    },
    waiting: () => items,
  }
}
