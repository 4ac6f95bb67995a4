import type { Digest } from '../wire/names.ts'
import type { OnProgress } from './progress.ts'
import { createSha256 } from './sha256.ts'

/** A source that can be read more than once, and has a size. */
export type RepeatableSource = Blob | Uint8Array

const chunkBytes = 1024 * 1024

/** Returns the number of bytes of the source. */
export function sizeOf(source: RepeatableSource): number {
  return source instanceof Blob ? source.size : source.length
}

/** Returns a new stream of all bytes, read on demand. */
export function streamOf(source: RepeatableSource): ReadableStream<Uint8Array> {
  if (source instanceof Blob) return source.stream()
  let at = 0
  return new ReadableStream(
    {
      pull(controller) {
        if (at >= source.length) return controller.close()
        controller.enqueue(source.subarray(at, at + chunkBytes))
        at += chunkBytes
      },
    },
    { highWaterMark: 0 },
  )
}

/**
 * Returns the SHA-256 of the source, which is read once.
 *
 * @throws the reason of the signal; what reading the source throws
 */
export async function digestOfSource(
  source: RepeatableSource,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<Digest> {
  const totalBytes = sizeOf(source)
  const hash = createSha256()
  const reader = streamOf(source).getReader()
  let bytes = 0
  try {
    for (;;) {
      signal?.throwIfAborted()
      const { done, value } = await reader.read()
      if (done) return hash.digest()
      hash.update(value)
      bytes += value.length
      onProgress?.({ bytes, totalBytes })
    }
  } catch (error) {
    reader.cancel().catch(() => undefined)
    throw error
  }
}
