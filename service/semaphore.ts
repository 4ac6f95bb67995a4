/**
 * A bounded number of permits (connections, bytes of memory, …) that the whole process shares. Callers that need some
 * wait in line for them.
 *
 * Decision: written here, since waiters of the Semaphore of `async-mutex` cannot be aborted by a signal, and one whose
 * time is over keeps its place in the line. Revisit when it takes signals.
 */
export interface Semaphore {
  /**
   * Waits for permits: first come, first served. No caller overtakes another, since small requests could otherwise
   * starve a large one.
   *
   * @param permits at most what the semaphore has.
   * @returns the function that returns the permits (calling it again does nothing), or `null` if they were not
   *   available within `waitSecondsMax`.
   * @throws the signal's reason if it aborts while waiting; {RangeError} for more permits than there are.
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

/** Returns a semaphore with so many permits. */
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
        // The callers behind one that gave up may be served now.
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
