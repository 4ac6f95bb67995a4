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

/** The same stream, no faster than `pace` lets it. */
export function paced(source: ReadableStream<Uint8Array>, pace: Pace): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) return controller.close()
        await pace(value.byteLength)
        controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
