/**
 * A counting lock for connections to the store: Hetzner allows about 256 per source address, so a replica
 * must not open more than its share however many clients it has.
 */
export interface ConnectionLimit {
  /**
   * Waits, first come first served, for a place.
   *
   * @returns the function that gives the place back; calling it again does nothing.
   * @throws the signal's reason if it aborts while waiting.
   */
  acquire(signal?: AbortSignal): Promise<() => void>
}

export function createConnectionLimit(connectionsMax: number): ConnectionLimit {
  let free = connectionsMax
  const waiting = new Set<() => void>()

  function take(): () => void {
    free -= 1
    let held = true
    return () => {
      if (!held) return
      held = false
      free += 1
      const next = waiting.values().next().value
      if (next) next()
    }
  }

  return {
    async acquire(signal) {
      signal?.throwIfAborted()
      if (free > 0) return take()
      return new Promise((resolve, reject) => {
        const settle = () => {
          waiting.delete(grant)
          signal?.removeEventListener('abort', refuse)
        }
        const grant = () => {
          settle()
          resolve(take())
        }
        const refuse = () => {
          settle()
          reject(signal?.reason)
        }
        waiting.add(grant)
        signal?.addEventListener('abort', refuse, { once: true })
      })
    },
  }
}
