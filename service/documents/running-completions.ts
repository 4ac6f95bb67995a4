import { limits } from '../limits.ts'
import type { Document } from '../wire/answers.ts'
import { DocumentError } from './document-error.ts'

export interface Completed {
  document: Document
  created: boolean
}

/** Completions that are under way on this replica, so that repetitions join instead of doing it twice. */
export interface RunningCompletions {
  /**
   * @param id of the upload: its completions are one.
   * @param version completions of the same one follow each other, so that the first is its first writer.
   * @param work is given up when the signal aborts; not when a client goes away, who may come back.
   * @returns the result of `work`, or `null` if it takes longer than a client should be kept waiting.
   * @throws {DocumentError} `busy`; what `work` throws
   */
  join(
    id: string,
    version: string,
    work: (signal: AbortSignal) => Promise<Completed>,
  ): Promise<Completed | null>
}

/** @param waitSecondsMax how long a client is kept waiting. */
export function createRunningCompletions(waitSecondsMax: number): RunningCompletions {
  const running = new Map<string, Promise<Completed>>()
  const lines = new Map<string, Promise<unknown>>()

  function forget(id: string, result: Promise<Completed>): void {
    // A later completion of the same upload may have taken its place.
    if (running.get(id) === result) running.delete(id)
  }

  /** Once everything before it about the same version has ended. */
  function inLine(version: string, work: () => Promise<Completed>): Promise<Completed> {
    const before = lines.get(version) ?? Promise.resolve()
    const result = before.then(work)
    const ended = result.then(
      () => {},
      () => {},
    )
    lines.set(version, ended)
    void ended.then(() => {
      if (lines.get(version) === ended) lines.delete(version)
    })
    return result
  }

  function begin(
    id: string,
    version: string,
    work: (signal: AbortSignal) => Promise<Completed>,
  ): Promise<Completed> {
    if (running.size >= limits.completionsMax) {
      throw new DocumentError('busy', 'Too many completions are under way. Try again later.')
    }
    const result = inLine(version, () => withinTime(work))
    running.set(id, result)
    const keep = () => {
      // Whoever was told to ask again still gets the result, for a while.
      setTimeout(() => forget(id, result), limits.completionKeptSeconds * 1000).unref()
    }
    result.then(keep, keep)
    return result
  }

  return {
    async join(id, version, work) {
      const result = running.get(id) ?? begin(id, version, work)
      const patience = Promise.withResolvers<null>()
      const timer = setTimeout(() => patience.resolve(null), waitSecondsMax * 1000)
      try {
        const answer = await Promise.race([result, patience.promise])
        // Delivered: a further repetition looks at the store anew.
        if (answer) forget(id, result)
        return answer
      } catch (error) {
        forget(id, result)
        throw error
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

async function withinTime(work: (signal: AbortSignal) => Promise<Completed>): Promise<Completed> {
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
