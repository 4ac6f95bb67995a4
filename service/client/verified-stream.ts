import type { Digest } from '../wire/names.ts'
import { type CallIds, DigestMismatchError, SizeMismatchError } from './errors.ts'
import { createSha256 } from './sha256.ts'

export interface Expected {
  /** `null` for a part of a version, which no digest describes. */
  digest: Digest | null
  sizeBytes: number
  ids: CallIds
  /** Makes the error for the reader when the connection breaks. */
  failure: (error: unknown) => unknown
  /** Called with the bytes received so far. */
  onBytes?: ((bytes: number) => void) | undefined
}

/**
 * Passes `body` through and holds its last chunk back until size and digest agree, so that bytes with another hash
 * never end in a clean close. Costs one chunk of memory; cancelling frees the connection.
 *
 * The stream errors with `DigestMismatchError`, `SizeMismatchError` or what `failure` makes of a broken read.
 */
export function verifiedStream(
  body: ReadableStream<Uint8Array> | null,
  expected: Expected,
): ReadableStream<Uint8Array> {
  const reader = (body ?? new Blob([]).stream()).getReader()
  const check = bodyCheck(expected)
  let held: Uint8Array | null = null

  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read().catch((error) => {
        throw expected.failure(error)
      })
      if (done) {
        check.end()
        if (held) controller.enqueue(held)
        controller.close()
        return
      }
      if (value.length === 0) continue
      check.chunk(value)
      const released = held
      held = value
      if (released) return controller.enqueue(released)
    }
  }

  const cancel = (reason: unknown) => reader.cancel(reason)
  return new ReadableStream(
    {
      pull: (controller) =>
        pull(controller).catch((error) => {
          cancel(error).catch(() => undefined)
          throw error
        }),
      cancel,
    },
    { highWaterMark: 0 },
  )
}

function bodyCheck({ digest, sizeBytes, ids, onBytes }: Expected) {
  const hash = digest === null ? null : createSha256()
  let bytes = 0
  return {
    chunk(chunk: Uint8Array): void {
      bytes += chunk.length
      if (bytes > sizeBytes) throw new SizeMismatchError(sizeBytes, bytes, ids)
      hash?.update(chunk)
      onBytes?.(bytes)
    },
    end(): void {
      if (bytes !== sizeBytes) throw new SizeMismatchError(sizeBytes, bytes, ids)
      const actual = hash?.digest()
      if (digest !== null && actual !== undefined && actual !== digest) {
        throw new DigestMismatchError(digest, actual, ids)
      }
    },
  }
}
