import { ObjectStoreError, type PutOptions } from '../object-store.ts'
import { tap } from '../tap.ts'

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
      if (value.byteLength > 0) throw incomplete()
    }
  } finally {
    signal?.removeEventListener('abort', abandon)
    // Without effect on a stream that has ended.
    reader.cancel().catch(() => {})
  }
}

function exactStream(source: ReadableStream<Uint8Array>, size: number): SentBody {
  const reader = source.getReader()
  let failed: { reason: unknown } | null = null
  let unread = size
  let reading = false
  let movedAt = performance.now()

  async function read() {
    reading = true
    try {
      for (;;) {
        const next = await reader.read()
        if (next.done || next.value.byteLength > 0) return next
      }
    } finally {
      reading = false
      movedAt = performance.now()
    }
  }
  const body = tap(
    { read, cancel: (reason: unknown) => reader.cancel(reason) },
    {
      onChunk(chunk) {
        unread -= chunk.byteLength
        if (unread < 0) throw incomplete()
      },
      onEnd() {
        if (unread > 0) throw incomplete()
      },
      onFailure(reason) {
        failed = { reason }
        return reason
      },
      holdLast: true,
    },
  )
  const discard = () => void reader.cancel().catch(() => {})
  // While the source is being read, it is the source that takes its time.
  const lastMoveMs = () => (reading ? performance.now() : movedAt)
  return { body, failure: () => failed, discard, streamed: true, lastMoveMs }
}

function incomplete(): ObjectStoreError {
  return new ObjectStoreError('rejected', 'put', 'IncompleteBody')
}
