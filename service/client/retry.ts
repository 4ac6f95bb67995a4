import { ConnectionError, ProblemError, StoreError } from './errors.ts'
import type { TransferLimits } from './transfer-limits.ts'

type Pauses = Pick<TransferLimits, 'retrySecondsBase' | 'retrySecondsMax' | 'callAttemptsMax'>

/** Rejects with the signal's reason as soon as it is aborted. */
export function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, seconds * 1000)
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/**
 * Seconds before the repetition that follows `attempt` (from 1): random up to a bound that doubles, so that many
 * clients do not come back at once, and not before what `Retry-After` asks for, up to the maximum.
 */
export function pauseSeconds(attempt: number, error: unknown, limits: Pauses): number {
  const bound = Math.min(limits.retrySecondsBase * 2 ** (attempt - 1), limits.retrySecondsMax)
  return Math.min(askedSeconds(error) + Math.random() * bound, limits.retrySecondsMax)
}

function askedSeconds(error: unknown): number {
  const asks = error instanceof ProblemError || error instanceof StoreError
  return asks ? (error.retryAfterSeconds ?? 0) : 0
}

/** Whether the same call to the service may succeed a little later: no answer, 5xx but 501, or 429. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionError) return true
  if (!(error instanceof ProblemError)) return false
  return error.status === 429 || (error.status >= 500 && error.status !== 501)
}

/** Makes a call that is safe to repeat, again while its failures are passing ones, and a bounded number of times. */
export async function repeated<T>(
  call: () => Promise<T>,
  limits: Pauses,
  signal: AbortSignal | undefined,
  passing: (error: unknown) => boolean = isPassing,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (attempt >= limits.callAttemptsMax || !passing(error)) throw error
      await pause(pauseSeconds(attempt, error, limits), signal)
    }
  }
}
