import { limits } from '../limits.ts'
import { DocumentError } from './document-error.ts'
import type { Accepted } from './documents.ts'

/** Completions that are under way on this replica, so that repetitions join one instead of waiting for its lease. */
export interface RunningCompletions {
  /**
   * @param id of the upload. All completions of one upload are one piece of work.
   * @param work is given up when its signal aborts, not when a client disconnects: it may come back.
   * @returns the result of `work`, or `null` if it takes longer than a client should be kept waiting. The version is
   *   new for one of its callers only.
   * @throws {DocumentError} `busy`; what `work` throws
   */
  join(id: string, work: (signal: AbortSignal) => Promise<Accepted>): Promise<Accepted | null>
}

interface Running {
  result: Promise<Accepted>
  /** Callers. */
  waiting: number
  /** A caller has been answered: the version is new for no other one. */
  told: boolean
}

/** @param waitSecondsMax how long a client is kept waiting. */
export function createRunningCompletions(waitSecondsMax: number): RunningCompletions {
  const running = new Map<string, Running>()

  function forget(id: string, one: Running): void {
    if (running.get(id) === one) running.delete(id)
  }

  function begin(id: string, work: (signal: AbortSignal) => Promise<Accepted>): Running {
    if (running.size >= limits.completionsMax) {
      throw new DocumentError('busy', 'Too many completions are under way. Try again later.')
    }
    const one: Running = { result: withinTime(work), waiting: 0, told: false }
    running.set(id, one)
    const end = () => forget(id, one)
    one.result.then(() => {
      // A client that comes back later still learns whether its version was new.
      if (one.waiting === 0) setTimeout(end, limits.completionKeptSeconds * 1000).unref()
      else end()
    }, end)
    return one
  }

  return {
    async join(id, work) {
      const one = running.get(id) ?? begin(id, work)
      const patience = Promise.withResolvers<null>()
      const timer = setTimeout(() => patience.resolve(null), waitSecondsMax * 1000)
      one.waiting += 1
      try {
        const answer = await Promise.race([one.result, patience.promise])
        if (!answer) return null
        forget(id, one)
        const { told } = one
        one.told = true
        return told ? { ...answer, created: false } : answer
      } finally {
        one.waiting -= 1
        clearTimeout(timer)
      }
    },
  }
}

async function withinTime(work: (signal: AbortSignal) => Promise<Accepted>): Promise<Accepted> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(tookTooLong()), limits.completionSecondsMax * 1000)
  try {
    return await work(deadline.signal)
  } finally {
    clearTimeout(timer)
  }
}

function tookTooLong(): DocumentError {
  return new DocumentError(
    'store_unavailable',
    'The object store took too long to publish the upload. Complete it again.',
  )
}
