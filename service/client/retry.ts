import { ConnectionError, ProblemError, StoreError } from './errors.ts'
import type { TransferLimits } from './transfer-limits.ts'

type Pauses = Pick<TransferLimits, 'retrySecondsBase' | 'retrySecondsMax' | 'callAttemptsMax'>

/** Waits for `seconds`, or rejects with the reason of the signal as soon as it is aborted. */
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
 * Returns the seconds to wait after `attempt` (from 1): random up to a bound that doubles, so that many clients do not
 * return at once, on top of what `Retry-After` asks for, up to the maximum.
 */
export function pauseSeconds(attempt: number, error: unknown, limits: Pauses): number {
  const bound = Math.min(limits.retrySecondsBase * 2 ** (attempt - 1), limits.retrySecondsMax)
  return Math.min(askedSeconds(error) + Math.random() * bound, limits.retrySecondsMax)
}

function askedSeconds(error: unknown): number {
  const asks = error instanceof ProblemError || error instanceof StoreError
  return asks ? (error.retryAfterSeconds ?? 0) : 0
}

/** Returns whether the same call to the service may succeed later: no answer, 429, or 5xx except 501. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionError) return true
  if (!(error instanceof ProblemError)) return false
  return error.status === 429 || (error.status >= 500 && error.status !== 501)
}

/**
 * Makes a call that is safe to repeat, and repeats it while its failures are transient, `callAttemptsMax` times in all.
 *
 * @throws what the last attempt threw; the reason of the signal
 */
export async function repeated<T>(
  call: () => Promise<T>,
  limits: Pauses,
  signal: AbortSignal | undefined,
  retryable: (error: unknown) => boolean = isTransient,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (attempt >= limits.callAttemptsMax || !retryable(error)) throw error
      await pause(pauseSeconds(attempt, error, limits), signal)
    }
  }
}
