import { limits } from '../limits.ts'
import { type ChunkReader, type StreamObserver, tap } from '../object-store/tap.ts'
import type { Digest } from '../wire/names.ts'
import { digestOfHex } from './document-key.ts'
import { noteGarbage } from './heap-pressure.ts'

/** What the bytes of a stream are, or should be. */
export interface Identity {
  digest: Digest
  /** Bytes. */
  size: number
}

/** Makes the error for bytes that are not the expected ones, of what was found instead. */
export type OnMismatch = (found: Identity) => Error

/**
 * Returns the stream, which errs at its end unless its bytes are the expected ones. Its chunks are not held back:
 * give it to a `put`, which publishes nothing of a stream that errs, or read it to its end.
 */
export function checked(
  source: ReadableStream<Uint8Array>,
  expected: Identity,
  mismatch: OnMismatch,
  onChunk?: StreamObserver['onChunk'],
): ReadableStream<Uint8Array> {
  const { onChunk: hash, onEnd } = hashing(expected, mismatch)
  if (!onChunk) return tap(source, { onChunk: hash, onEnd })
  const both = (chunk: Uint8Array) => {
    hash(chunk)
    return onChunk(chunk)
  }
  return tap(source, { onChunk: both, onEnd })
}

/**
 * Returns the stream for an answer to a client: its last chunk leaves only after the bytes have been found to be
 * the expected ones, so that wrong bytes are never a complete body.
 *
 * @param onFailure receives the reason instead of the reader; the stream then errs without one.
 */
export function verified(
  source: ReadableStream<Uint8Array> | ChunkReader,
  expected: Identity,
  mismatch: OnMismatch,
  onFailure?: (reason: unknown) => void,
): ReadableStream<Uint8Array> {
  return tap(source, { ...hashing(expected, mismatch), onFailure, holdLast: true })
}

function hashing(expected: Identity, mismatch: OnMismatch) {
  const hasher = new Bun.CryptoHasher('sha256')
  let size = 0
  return {
    onChunk(chunk: Uint8Array) {
      hasher.update(chunk)
      size += chunk.byteLength
      noteGarbage(chunk.byteLength, limits.readGarbageBytesMax)
    },
    onEnd() {
      const digest = digestOfHex(hasher.digest('hex'))
      if (digest !== expected.digest || size !== expected.size) throw mismatch({ digest, size })
    },
  }
}
