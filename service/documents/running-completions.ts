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

/** @param waitSecondsMax how long a client is kept waiting. */
export function createRunningCompletions(waitSecondsMax: number): RunningCompletions {
  const running = new Map<string, Promise<Accepted>>()

  function begin(id: string, work: (signal: AbortSignal) => Promise<Accepted>): Promise<Accepted> {
    if (running.size >= limits.completionsMax) {
      throw new DocumentError('busy', 'Too many completions are under way. Try again later.')
    }
    const result = withinTime(work)
    running.set(id, result)
    const end = () => running.delete(id)
    result.then(end, end)
    return result
  }

  return {
    async join(id, work) {
      const joined = running.get(id)
      const result = joined ?? begin(id, work)
      const patience = Promise.withResolvers<null>()
      const timer = setTimeout(() => patience.resolve(null), waitSecondsMax * 1000)
      try {
        const answer = await Promise.race([result, patience.promise])
        return joined && answer ? { ...answer, created: false } : answer
      } finally {
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
