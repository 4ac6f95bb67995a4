import { limits } from '../limits.ts'
import {
  isTransient,
  type ObjectBody,
  type ObjectStore,
  ObjectStoreError,
} from '../object-store/object-store.ts'
import type { ChunkReader } from '../object-store/tap.ts'

/**
 * Reads the body of an object at the pace of a client. A read that breaks off is continued by another one from the next
 * byte on, pinned by the ETag: stores close the connection to a reader that pauses, and the adapter takes it away while
 * others wait.
 *
 * Not a stream of its own, which would cost a third of the CPU of a download.
 *
 * @param signal as for the `get` that opened the object.
 */
export function continuedBody(
  store: Pick<ObjectStore, 'get'>,
  object: ObjectBody,
  signal: AbortSignal | undefined,
): ChunkReader {
  const { key, etag: ifMatch } = object
  const { first, last } = object.range ?? { first: 0, last: object.size - 1 }
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = object.body.getReader()
  let next = first
  let failure: unknown

  async function reopened() {
    const again = await store.get(key, { range: { first: next, last }, ifMatch, signal })
    if (again?.range?.first === next) return again.body.getReader()
    again?.body.cancel().catch(() => {})
    throw failure
  }

  return {
    async read() {
      for (let tries = 1; ; tries += 1) {
        try {
          reader ??= await reopened()
          const chunk = await reader.read()
          next += chunk.value?.byteLength ?? 0
          return chunk
        } catch (error) {
          const mayContinue = error instanceof ObjectStoreError && isTransient(error) && next <= last
          if (!mayContinue || tries >= limits.fruitlessReadsMax) throw error
          failure = error
          reader = null
        }
      }
    },
    cancel: async (reason) => reader?.cancel(reason),
  }
}
