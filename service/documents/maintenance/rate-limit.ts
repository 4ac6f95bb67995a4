import { setTimeout } from 'node:timers/promises'

/** Waits until so many more bytes are within the rate. @throws the abort of the signal that it was made with */
export type RateLimit = (bytes: number) => Promise<void>

/** Returns a limit that all its callers share. The rate is measured from now on. */
export function createRateLimit(bytesPerSecondMax: number, signal?: AbortSignal): RateLimit {
  const startedAt = performance.now()
  let bytesTotal = 0
  return async (bytes) => {
    bytesTotal += bytes
    const aheadMs = (bytesTotal / bytesPerSecondMax) * 1000 - (performance.now() - startedAt)
    if (aheadMs > 5) await setTimeout(aheadMs, undefined, { signal })
  }
}
