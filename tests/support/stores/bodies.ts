import {
  isWhole,
  type ObjectBody,
  type ObjectBytes,
  type ObjectStore,
} from '../../../service/object-store/object-store.ts'

import { KiB, MiB } from '../service/sample-documents.ts'

export { KiB, MiB }

/** Generates `size` bytes that differ from place to place and from `seed` to `seed`. */
export function bytesOf(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed * 2654435761
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

/** Returns a stream of these chunks, each given only when it is asked for. */
export function streamOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return streamFrom(async function* () {
    yield* chunks
  })
}

/** Returns a stream of the bytes in chunks of 64 KiB. Sent as a body it has no declared length. */
export function inChunks(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return streamFrom(async function* () {
    for (let at = 0; at < bytes.length; at += 64 * KiB) yield bytes.slice(at, at + 64 * KiB)
  })
}

/** Returns a stream of these chunks that then fails with `error`. */
export function failingStream(error: Error, ...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return streamFrom(async function* () {
    yield* chunks
    throw error
  })
}

/** Returns a stream of `chunks` and, long after a store may have taken those, of what `late` gives or throws. */
export function lateStream(late: () => Uint8Array, ...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return streamFrom(async function* () {
    yield* chunks
    await Bun.sleep(200)
    yield late()
  })
}

/**
 * Returns a stream of these chunks that then neither continues nor ends. `stalled` resolves when more was asked for, so
 * when all chunks are on their way.
 */
export function stallingStream(...chunks: Uint8Array[]): {
  stream: ReadableStream<Uint8Array>
  stalled: Promise<void>
} {
  const stalled = Promise.withResolvers<void>()
  const stream = streamFrom(async function* () {
    yield* chunks
    stalled.resolve()
    await new Promise(() => {})
  })
  return { stream, stalled: stalled.promise }
}

/** Pull by pull, and cancellable while a pull is pending, which `ReadableStream.from` is not. */
function streamFrom(generate: () => AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  const source = generate()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await source.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
    },
    { highWaterMark: 0 },
  )
}

/** Reads all bytes of a body. */
export async function bytesIn(found: ObjectBody | ObjectBytes | null): Promise<Uint8Array> {
  if (found === null) throw new Error('there is no such object')
  if (isWhole(found)) return found.body
  return new Uint8Array(await new Response(found.body).arrayBuffer())
}

/** Reads what is stored under `key`, or `null`: enough to see whether a failed call changed anything. */
export async function seenUnder(store: ObjectStore, key: string) {
  const found = await store.get(key)
  if (found === null) return null
  const { etag, size, contentType, metadata } = found
  return { etag, size, contentType, metadata, bytes: await bytesIn(found) }
}

/** Returns what `promise` rejects with; fails if it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const settled = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in settled) return settled.error
  throw new Error(`expected a failure, got ${Bun.inspect(settled.value)}`)
}

/** Calls `work` for every item, at most `parallel` at a time. */
export async function forEachParallel<T>(
  items: Iterable<T>,
  parallel: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: parallel }, worker))
}
