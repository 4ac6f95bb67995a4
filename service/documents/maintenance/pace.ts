/** Waits after so many bytes, so that all of them together stay under a rate. */
export type Pace = (bytes: number) => Promise<void>

/** The rate is measured from the first byte on; whoever shares the pace shares the rate. */
export function createPace(bytesPerSecondMax: number): Pace {
  const startedAt = performance.now()
  let bytesTotal = 0
  return async (bytes) => {
    bytesTotal += bytes
    const aheadMs = (bytesTotal / bytesPerSecondMax) * 1000 - (performance.now() - startedAt)
    if (aheadMs > 5) await Bun.sleep(aheadMs)
  }
}
