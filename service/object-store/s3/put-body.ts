import { ObjectStoreError, type PutOptions } from '../object-store.ts'

/** A body on its way to the store. */
export interface SentBody {
  body: Uint8Array | ReadableStream<Uint8Array>
  /** Why the body cannot be sent, once that is known: fetch wraps or swallows what a stream throws. */
  failure(): { reason: unknown } | null
  /** Lets go of the source of what the store did not take. */
  discard(): void
  /** A stream can be sent only once. */
  streamed: boolean
  /** When the store last took or was last waiting for bytes (`performance.now()`); never for bytes at hand. */
  lastMoveMs(): number
}

/**
 * Makes sure that exactly `size` bytes are sent or the request fails. The last chunk is held back until the
 * source has ended: a store that has all the bytes it was promised publishes them, whatever comes after.
 * So a stream of no bytes is read to its end before anything is sent.
 *
 * @throws {ObjectStoreError} `rejected` for a body of another size, as soon as that is seen
 */
export async function exactBody(
  source: Uint8Array | ReadableStream<Uint8Array>,
  { size, signal }: Pick<PutOptions, 'size' | 'signal'>,
): Promise<SentBody> {
  if (source instanceof ReadableStream && size > 0) return exactStream(source, size)
  const body = source instanceof ReadableStream ? await emptyBytes(source, signal) : source
  if (body.byteLength !== size) throw incomplete()
  return { body, failure: () => null, discard() {}, streamed: false, lastMoveMs: () => performance.now() }
}

/**
 * Aborts once the store has neither taken a byte nor answered for `secondsMax`. A deadline for the whole would
 * cut long uploads; none would leave them hanging on a store that has stopped.
 */
export function watchStall(sent: SentBody, secondsMax: number): { signal: AbortSignal; stop(): void } {
  const stalled = new AbortController()
  const timer = setInterval(
    () => {
      if (performance.now() - sent.lastMoveMs() < secondsMax * 1000) return
      stalled.abort(new ObjectStoreError('unavailable', 'put', 'TimedOut'))
    },
    Math.min(1000, secondsMax * 250),
  )
  return { signal: stalled.signal, stop: () => clearInterval(timer) }
}

/** Reads a stream that should have no bytes, to its end or to its first byte. */
async function emptyBytes(
  source: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const reader = source.getReader()
  const abandon = () => void reader.cancel(signal?.reason).catch(() => {})
  signal?.addEventListener('abort', abandon, { once: true })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      signal?.throwIfAborted()
      if (done) return new Uint8Array()
      if (value.byteLength > 0) throw await overrun(reader)
    }
  } finally {
    signal?.removeEventListener('abort', abandon)
  }
}

function exactStream(source: ReadableStream<Uint8Array>, size: number): SentBody {
  const reader = source.getReader()
  let failed: { reason: unknown } | null = null
  let unread = size
  let reading = false
  let cancelled = false
  let movedAt = performance.now()

  /** The next chunk, or `null` at the end of the source. */
  async function next(): Promise<Uint8Array | null> {
    for (;;) {
      const { done, value } = await reader.read()
      if (done && unread > 0) throw incomplete()
      if (done) return null
      unread -= value.byteLength
      if (unread < 0) throw await overrun(reader)
      if (value.byteLength > 0) return value
    }
  }

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        reading = true
        try {
          const chunk = await next()
          if (chunk && unread > 0) return controller.enqueue(chunk)
          if (chunk) await next()
          if (chunk) controller.enqueue(chunk)
          controller.close()
        } catch (reason) {
          // Once nobody wants the body any more, what ends it here is only the echo of that.
          if (!cancelled) failed = { reason }
          controller.error(reason)
        } finally {
          reading = false
          movedAt = performance.now()
        }
      },
      cancel(reason) {
        cancelled = true
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  const discard = () => void reader.cancel().catch(() => {})
  // While the source is being read, it is the source that takes its time.
  const lastMoveMs = () => (reading ? performance.now() : movedAt)
  return { body, failure: () => failed, discard, streamed: true, lastMoveMs }
}

async function overrun(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<ObjectStoreError> {
  const error = incomplete()
  await reader.cancel(error).catch(() => {})
  return error
}

function incomplete(): ObjectStoreError {
  return new ObjectStoreError('rejected', 'put', 'IncompleteBody')
}
