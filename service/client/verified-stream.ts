import type { Digest } from '../wire/names.ts'
import type { ByteReader } from './continued-body.ts'
import { type CallIds, DigestMismatchError, SizeMismatchError } from './errors.ts'
import { createSha256 } from './sha256.ts'

export interface Expected {
  /** `null` for a part of a version, which no digest describes. */
  digest: Digest | null
  sizeBytes: number
  ids: CallIds
  /** Called with the bytes received so far. */
  onBytes?: ((bytes: number) => void) | undefined
}

/** Watches the bytes of a body. Both throw what the stream then errors with. */
export interface BodyCheck {
  /** Receives every chunk, before it is passed on. */
  chunk(bytes: Uint8Array): void
  /** Is called after the last one. */
  end(): void
}

/**
 * Passes a body through and holds its last chunk back until size and digest agree, so that bytes with another hash
 * never end in a clean close. Costs one chunk of memory; cancelling frees the connection.
 *
 * The stream errors with `DigestMismatchError`, `SizeMismatchError` or what the reader throws.
 */
export function verifiedStream(reader: ByteReader, expected: Expected): ReadableStream<Uint8Array> {
  return checkedStream(reader, bodyCheck(expected))
}

/** As {@link verifiedStream}, by any check. */
export function checkedStream(reader: ByteReader, check: BodyCheck): ReadableStream<Uint8Array> {
  let held: Uint8Array | null = null

  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done || value === undefined) {
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

/** Returns the check of size and digest. */
export function bodyCheck({ digest, sizeBytes, ids, onBytes }: Expected): BodyCheck {
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
