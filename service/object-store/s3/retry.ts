import { limits } from '../../limits.ts'
import { ObjectStoreError } from '../object-store.ts'

/**
 * Repeats `attempt` while it fails as `unavailable`, `storeAttemptsMax` tries in all. One policy for the SDK's
 * calls and our own: the SDK's also counts the failures of other calls, and gives up sooner the more there were.
 *
 * @param attempt gets the number of its try, from 1; fails with nothing but {@link ObjectStoreError} or what
 *   is not to be repeated.
 * @throws what the last try threw; the signal's reason.
 */
export async function withRetries<T>(
  attempt: (tries: number) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt(tries)
    } catch (error) {
      const repeatable = error instanceof ObjectStoreError && error.code === 'unavailable'
      if (!repeatable || tries >= limits.storeAttemptsMax) throw error
      await Bun.sleep(backOffMilliseconds(tries, error.retryAfterSeconds))
      signal?.throwIfAborted()
    }
  }
}

/**
 * How long to wait after try number `tries`: up to 200 ms, 400 ms, … with full jitter, so that replicas that
 * were refused together do not come back together; on top of what the store asked for, within its limit.
 */
export function backOffMilliseconds(tries: number, retryAfterSeconds = 0): number {
  const asked = Math.min(retryAfterSeconds, limits.storeRetryWaitSecondsMax) * 1000
  return asked + Math.random() * 100 * 2 ** tries
}
