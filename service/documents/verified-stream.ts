import { limits } from '../limits.ts'
import type { Digest } from '../wire/names.ts'
import { digestOfHex } from './document-key.ts'
import { noteGarbage } from './garbage.ts'

/** Something that is read chunk by chunk; `null` is the end. */
export interface ChunkSource {
  read(): Promise<Uint8Array | null>
  cancel(reason: unknown): void
}

export type OnFailure = (reason: unknown) => void

/**
 * Passes chunks on, always one behind, so that the last one leaves only after `atEnd` has agreed. If it
 * throws, the stream errs, and its reader never holds a complete body.
 *
 * @param onFailure gets the reason in the reader's place: the stream then errs without one.
 */
export function heldBack(
  source: ChunkSource,
  atEnd: () => void,
  onFailure?: OnFailure,
): ReadableStream<Uint8Array> {
  let held: Uint8Array | null = null
  let cancelled = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (;;) {
            const chunk = await source.read()
            // A read that was under way ends then, and its end is none of the body: there is nothing to check.
            if (cancelled) return
            const ready = held
            held = chunk
            if (chunk === null) atEnd()
            if (ready) controller.enqueue(ready)
            if (chunk === null) return controller.close()
            if (ready) return
          }
        } catch (error) {
          if (cancelled) return
          onFailure?.(error)
          controller.error(onFailure ? undefined : error)
        }
      },
      cancel(reason) {
        cancelled = true
        source.cancel(reason)
      },
    },
    // Nothing is read before someone asks: a response that is never sent costs no memory.
    { highWaterMark: 0 },
  )
}

/**
 * A stream that ends only if its bytes hash to `digest` and count to `size`; else it errs with what
 * `mismatch` makes of the digest that was found.
 */
export function verified(
  source: ReadableStream<Uint8Array>,
  expected: { digest: Digest; size: number },
  mismatch: (found: { digest: Digest; size: number }) => Error,
  onFailure?: OnFailure,
): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  const hasher = new Bun.CryptoHasher('sha256')
  let size = 0
  const chunks: ChunkSource = {
    async read() {
      const { done, value } = await reader.read()
      if (done) return null
      hasher.update(value)
      size += value.byteLength
      noteGarbage(value.byteLength, limits.readGarbageBytesMax)
      return value
    },
    cancel(reason) {
      reader.cancel(reason).catch(() => {})
    },
  }
  const agree = () => {
    const digest = digestOfHex(hasher.digest('hex'))
    if (digest !== expected.digest || size !== expected.size) throw mismatch({ digest, size })
  }
  return heldBack(chunks, agree, onFailure)
}

/** The stream as it is, with its failure told to `onFailure`. */
export function unverified(
  source: ReadableStream<Uint8Array>,
  onFailure: OnFailure | undefined,
): ReadableStream<Uint8Array> {
  if (!onFailure) return source
  const reader = source.getReader()
  const chunks: ChunkSource = {
    read: async () => (await reader.read()).value ?? null,
    cancel(reason) {
      reader.cancel(reason).catch(() => {})
    },
  }
  return heldBack(chunks, () => {}, onFailure)
}
