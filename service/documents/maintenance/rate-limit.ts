/** Waits until so many more bytes are within the rate. */
export type RateLimit = (bytes: number) => Promise<void>

/** Returns a limit that all its callers share. The rate is measured from now on. */
export function createRateLimit(bytesPerSecondMax: number): RateLimit {
  const startedAt = performance.now()
  let bytesTotal = 0
  return async (bytes) => {
    bytesTotal += bytes
    const aheadMs = (bytesTotal / bytesPerSecondMax) * 1000 - (performance.now() - startedAt)
    if (aheadMs > 5) await Bun.sleep(aheadMs)
  }
}
