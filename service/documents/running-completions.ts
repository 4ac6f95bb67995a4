import { LRUCache } from 'lru-cache'
import { limits } from '../limits.ts'
import { DocumentError } from './document-error.ts'
import type { Accepted } from './documents.ts'

/** Completions that are under way on this replica, so that repetitions join one instead of doing it twice. */
export interface RunningCompletions {
  /**
   * @param id of the upload. All completions of one upload are one piece of work.
   * @param version completions of the same version run one after the other, so that the first is its first writer.
   * @param work is given up when its signal aborts, not when a client disconnects: it may come back.
   * @returns the result of `work`, or `null` if it takes longer than a client should be kept waiting.
   * @throws {DocumentError} `busy`; what `work` throws
   */
  join(
    id: string,
    version: string,
    work: (signal: AbortSignal) => Promise<Accepted>,
  ): Promise<Accepted | null>
}

type Result = Promise<Accepted>

/** @param waitSecondsMax how long a client is kept waiting. */
export function createRunningCompletions(waitSecondsMax: number): RunningCompletions {
  /** Work under way, by the id of its upload. */
  const running = new Map<string, Result>()
  /** Results that no client has received yet: the one that was asked to come back gets its result, for a while. */
  const finished = new LRUCache<string, Result>({
    max: limits.completionsMax,
    ttl: limits.completionKeptSeconds * 1000,
    ttlAutopurge: true,
  })
  const inTurn = createTurns()

  function begin(id: string, version: string, work: (signal: AbortSignal) => Result): Result {
    if (running.size + finished.size >= limits.completionsMax) {
      throw new DocumentError('busy', 'Too many completions are under way. Try again later.')
    }
    const result = inTurn(version, () => withinTime(work))
    running.set(id, result)
    const finish = () => {
      running.delete(id)
      finished.set(id, result)
    }
    result.then(finish, finish)
    return result
  }

  return {
    async join(id, version, work) {
      const result = running.get(id) ?? finished.get(id) ?? begin(id, version, work)
      const patience = Promise.withResolvers<null>()
      const timer = setTimeout(() => patience.resolve(null), waitSecondsMax * 1000)
      let delivered = true
      try {
        const answer = await Promise.race([result, patience.promise])
        delivered = answer !== null
        return answer
      } finally {
        clearTimeout(timer)
        // A further repetition looks at the store again.
        if (delivered && finished.peek(id) === result) finished.delete(id)
      }
    },
  }
}

/** Returns a function that runs pieces of work one after the other if they have the same key. */
function createTurns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const result = (last.get(key) ?? Promise.resolve()).then(work)
    const ended: Promise<void> = result.then(
      () => {},
      () => {},
    )
    last.set(key, ended)
    void ended.then(() => {
      if (last.get(key) === ended) last.delete(key)
    })
    return result
  }
}

async function withinTime(work: (signal: AbortSignal) => Result): Result {
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
