import { ObjectStoreError } from './object-store.ts'

/** A body on its way to the store. */
export interface SentBody {
  body: Uint8Array | ReadableStream<Uint8Array>
  /** Why the body cannot be sent, once that is known: fetch wraps or swallows what a stream throws. */
  failure(): { reason: unknown } | null
  /** Lets go of the source of what the store did not take. */
  discard(): void
  /** A stream can be sent only once. */
  streamed: boolean
}

/**
 * Makes sure that exactly `size` bytes are sent or the request fails. The last chunk is held back until the
 * source has ended: a store that has all the bytes it was promised publishes them, whatever comes after.
 *
 * @throws {ObjectStoreError} `rejected` for a buffer of another size; a stream of another size fails so
 */
export function exactBody(source: Uint8Array | ReadableStream<Uint8Array>, size: number): SentBody {
  if (source instanceof ReadableStream) return exactStream(source, size)
  if (source.byteLength !== size) throw incomplete()
  return { body: source, failure: () => null, discard() {}, streamed: false }
}

function exactStream(source: ReadableStream<Uint8Array>, size: number): SentBody {
  const reader = source.getReader()
  let failed: { reason: unknown } | null = null
  let unread = size

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
        try {
          const chunk = await next()
          if (chunk && unread > 0) return controller.enqueue(chunk)
          if (chunk) await next()
          if (chunk) controller.enqueue(chunk)
          controller.close()
        } catch (reason) {
          failed = { reason }
          controller.error(reason)
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  const discard = () => void reader.cancel().catch(() => {})
  return { body, failure: () => failed, discard, streamed: true }
}

async function overrun(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<ObjectStoreError> {
  const error = incomplete()
  await reader.cancel(error).catch(() => {})
  return error
}

function incomplete(): ObjectStoreError {
  return new ObjectStoreError('rejected', 'put', 'IncompleteBody')
}
