import type { Digest } from '../wire/names.ts'
import { ArgumentError } from './errors.ts'
import { inPhase, type OnUploadProgress } from './progress.ts'
import { digestOfSource, type RepeatableSource, sizeOf, streamOf } from './source-bytes.ts'
import { StreamedBody, streamsRequests, type UploadBody } from './streamed-body.ts'

export type UploadSource = RepeatableSource | ReadableStream<Uint8Array>

export interface UploadOptions {
  /** Default: the type of the Blob, otherwise `application/octet-stream`. */
  contentType?: string | undefined
  /** The digest, if it is known already: saves reading a Blob twice. The service refuses bytes of another one. */
  digest?: Digest | undefined
  /**
   * Only if `latest` is this version; `absent`: only if there is no document of this name. Otherwise a `ProblemError`
   * with status 412; its `extensions.digest` names the version if it was stored all the same. Such an upload goes through the
   * service.
   */
  ifLatest?: Digest | 'absent' | undefined
  /** Exact bytes of a stream, if known: sent ahead, so that the service can refuse early. */
  size?: number | undefined
  /**
   * Called with the bytes hashed, handed to the connection, and verified so far. Outside of browsers, sending a
   * `Uint8Array` through the service is reported once at the end.
   */
  onProgress?: OnUploadProgress | undefined
  /**
   * `ticket`: straight to the store, or not at all. `service`: through the service. Default `auto`: by ticket from
   * `ticketBytesMin` on where the service and the store allow it. A stream always goes through the service.
   */
  via?: 'auto' | 'ticket' | 'service' | undefined
  signal?: AbortSignal | undefined
}

/**
 * Prepares what `put` sends. Bytes and Blobs without a digest are hashed first, Blobs by reading them once.
 *
 * @throws {ArgumentError} for a size that contradicts the source; what reading the source throws
 */
export async function uploadBody(source: UploadSource, options: UploadOptions): Promise<UploadBody> {
  if (source instanceof ReadableStream) {
    if (streamsRequests()) {
      return new StreamedBody(source, { ...options, onProgress: inPhase('send', options.onProgress) })
    }
    return uploadBody(await collected(source, options.signal), options)
  }
  const size = checkedSize(source, options.size)
  const onProgress = inPhase('send', options.onProgress)
  const digest = options.digest ?? (await hashed(source, options))
  const counted = source instanceof Blob && onProgress !== undefined && streamsRequests()
  if (counted) return new StreamedBody(streamOf(source), { onProgress, size, digest })
  return {
    body: source,
    size,
    digest,
    sentDigest: () => digest,
    failure: () => null,
    release: () => undefined,
  }
}

/** Returns the size of the source in bytes. @throws {ArgumentError} for a given size that contradicts it */
export function checkedSize(source: RepeatableSource, given: number | undefined): number {
  const size = sizeOf(source)
  if (given === undefined || given === size) return size
  throw new ArgumentError(`size says ${given} bytes, the body has ${size}`)
}

/** Returns the digest of the source, which is read once. */
export function hashed(source: RepeatableSource, { onProgress, signal }: UploadOptions): Promise<Digest> {
  return digestOfSource(source, inPhase('hash', onProgress), signal)
}

/**
 * A browser sends no stream over HTTP/1.1, and Firefox and Safari send none at all
 * (https://developer.mozilla.org/docs/Web/API/Request/duplex): a Blob they can send, and may keep on disk.
 */
function collected(stream: ReadableStream<Uint8Array>, signal: AbortSignal | undefined): Promise<Blob> {
  const abortable = stream.pipeThrough(new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>(), {
    ...(signal ? { signal } : {}),
  })
  return new Response(abortable).blob()
}
