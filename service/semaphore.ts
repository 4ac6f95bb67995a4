/**
 * A bounded number of permits (connections, bytes of memory, …) that all of the process shares: whoever needs
 * some asks first and waits in line for them.
 */
export interface Semaphore {
  /**
   * First come, first served; nobody overtakes, since a large request would else wait for ever behind small
   * ones.
   *
   * @param permits at most what the semaphore has.
   * @returns the function that gives the permits back (calling it again does nothing), or `null` if they
   *   could not be had within `waitSecondsMax`.
   * @throws the signal's reason if it aborts while waiting.
   */
  acquire(
    permits: number,
    options: { waitSecondsMax: number; signal?: AbortSignal | undefined },
  ): Promise<(() => void) | null>
}

interface Waiting {
  permits: number
  grant(release: () => void): void
}

export function createSemaphore(permitsMax: number): Semaphore {
  let free = permitsMax
  const waiting = new Set<Waiting>()

  function take(permits: number): () => void {
    free -= permits
    let held = true
    return () => {
      if (!held) return
      held = false
      free += permits
      serve()
    }
  }

  function serve(): void {
    for (const first of waiting) {
      if (first.permits > free) return
      waiting.delete(first)
      first.grant(take(first.permits))
    }
  }

  function wait(permits: number, waitSecondsMax: number, signal: AbortSignal | undefined) {
    return new Promise<(() => void) | null>((resolve, reject) => {
      const settle = (answer: () => void) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        waiting.delete(entry)
        answer()
        // Whoever stood behind one that gave up may be served now.
        serve()
      }
      const entry: Waiting = { permits, grant: (release) => settle(() => resolve(release)) }
      const onAbort = () => settle(() => reject(signal?.reason))
      const timer = setTimeout(() => settle(() => resolve(null)), waitSecondsMax * 1000)
      signal?.addEventListener('abort', onAbort, { once: true })
      waiting.add(entry)
    })
  }

  return {
    async acquire(permits, { waitSecondsMax, signal }) {
      signal?.throwIfAborted()
      if (permits > permitsMax) throw new RangeError(`${permits} permits asked for, there are ${permitsMax}`)
      if (waiting.size === 0 && permits <= free) return take(permits)
      return wait(permits, waitSecondsMax, signal)
    },
  }
}
