/** Where the chunks come from: the reader of a stream, or anything that is read like one. */
export interface ChunkReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>
  cancel(reason: unknown): Promise<void>
}

/** Watches a stream pass. Every part is optional; what is left out changes nothing. */
export interface StreamObserver {
  /** Runs before a chunk is passed on; the chunk waits for it. The stream fails with what it throws. */
  onChunk?: ((chunk: Uint8Array) => void | Promise<void>) | undefined
  /** Runs after the source has ended and before the stream closes. The stream fails with what it throws. */
  onEnd?: (() => void) | undefined
  /** Receives what the stream failed with and returns what its reader gets in its place. */
  onFailure?: ((error: unknown) => unknown) | undefined
  /** Runs when the reader gives the stream up. None of the others is called after it. */
  onCancel?: (() => void) | undefined
  /** Passes every chunk on one read later, so that the last one leaves only after `onEnd` has returned. */
  holdLast?: boolean
}

/**
 * Passes a stream on, chunk by chunk, while an observer watches. Nothing is read ahead of the reader: a body that
 * no one reads costs neither memory nor traffic. A `cancel` reaches the source and never rejects; so does the failure of
 * an observer.
 */
export function tap(
  source: ReadableStream<Uint8Array> | ChunkReader,
  { onChunk, onEnd, onFailure, onCancel, holdLast = false }: StreamObserver,
): ReadableStream<Uint8Array> {
  const reader: ChunkReader = source instanceof ReadableStream ? source.getReader() : source
  let held: Uint8Array | null = null
  let cancelled = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const { done, value } = await reader.read()
            // A read that was under way at a `cancel` ends as well, but that is not the end of the body.
            if (cancelled) return
            if (done || value === undefined) {
              onEnd?.()
              if (held) controller.enqueue(held)
              return controller.close()
            }
            const observing = onChunk?.(value)
            if (observing) await observing
            const ready = holdLast ? held : value
            if (holdLast) held = value
            if (ready) return controller.enqueue(ready)
          }
        } catch (error) {
          if (cancelled) return
          controller.error(onFailure ? onFailure(error) : error)
          // Without effect unless it was the observer that failed.
          reader.cancel(error).catch(() => {})
        }
      },
      async cancel(reason) {
        cancelled = true
        onCancel?.()
        await reader.cancel(reason).catch(() => {})
      },
    },
    { highWaterMark: 0 },
  )
}
