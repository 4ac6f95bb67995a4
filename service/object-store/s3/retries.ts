import { limits } from '../../limits.ts'
import { isTransient, ObjectStoreError } from '../object-store.ts'
import type { Pace } from './pace.ts'

/** How one call is tried. */
export interface TriesOptions {
  signal: AbortSignal | undefined
  /** For all tries together, the pauses between them included. */
  deadlineSeconds: number
  triesMax?: number | undefined
}

/** What a try is made with. */
export interface Try {
  /** Its number, from 1. */
  number: number
  /** Milliseconds that it may take, so that all tries end in time. */
  remainingMilliseconds: number
}

/** The one retry policy for the SDK's calls and our own. The SDK's own counts the failures of other calls. */
export interface Retries {
  /**
   * Repeats `attempt` while it fails as `unavailable`, up to `storeAttemptsMax` tries in all; not if the store asks for
   * a longer pause than we would make, if there is no time left, or if too many calls were repeated already: an
   * overloaded store must not receive three times as many calls as before.
   *
   * @throws what the last try threw; the signal's reason.
   */
  run<T>(options: TriesOptions, attempt: (of: Try) => Promise<T>): Promise<T>
}

/** Returns the retries of everything that reaches the store through the same connections. */
export function createRetries(pace: Pace): Retries {
  /** Retries that may be made now: each call adds a tenth of one. */
  let budget: number = limits.storeRetriesAtOnceMax

  function report(error: unknown): void {
    if (!(error instanceof ObjectStoreError)) return
    if (isSlowDown(error)) pace.slowedDown()
    // Any other answer says that the store had time for the call.
    else if (!isTransient(error)) pace.succeeded()
  }

  return {
    async run({ signal, deadlineSeconds, triesMax = limits.storeAttemptsMax }, attempt) {
      const deadline = performance.now() + deadlineSeconds * 1000
      budget = Math.min(budget + limits.storeRetriesShareMax, limits.storeRetriesAtOnceMax)
      for (let number = 1; ; number += 1) {
        try {
          const result = await attempt({ number, remainingMilliseconds: deadline - performance.now() })
          pace.succeeded()
          return result
        } catch (error) {
          report(error)
          const isUnavailable = error instanceof ObjectStoreError && error.code === 'unavailable'
          if (!isUnavailable || number >= triesMax || budget < 1) throw error
          const pause = pauseMilliseconds(number, error.retryAfterSeconds)
          if (pause === null || performance.now() + pause >= deadline) throw error
          budget -= 1
          await Bun.sleep(pause)
          signal?.throwIfAborted()
        }
      }
    },
  }
}

/**
 * Returns the wait after try number `tries`: up to 200 ms, 400 ms, … with full jitter, so that replicas that were
 * refused together do not return together; on top of what the store asked for. `null` if that is longer than our
 * clients should wait: they receive it instead.
 */
export function pauseMilliseconds(tries: number, retryAfterSeconds = 0): number | null {
  if (retryAfterSeconds > limits.storeRetryWaitSecondsMax) return null
  return retryAfterSeconds * 1000 + Math.random() * 100 * 2 ** tries
}

/** S3 API, "Error responses"; Hetzner answers 429 with a page of HTML, without a code. */
const slowDownReasons = ['SlowDown', 'TooManyRequests', 'TooManyRequestsException', 'Status429']

function isSlowDown({ code, reason }: ObjectStoreError): boolean {
  return code === 'unavailable' && slowDownReasons.includes(reason)
}
