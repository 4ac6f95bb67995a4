import type { Digest } from '../documents/document-ref.ts'
import { ArgumentError, type CallIds } from './errors.ts'
import type { OnProgress } from './progress.ts'
import { createSha256, digestOf } from './sha256.ts'
import { StreamedBody } from './streamed-body.ts'

export type UploadSource = Blob | Uint8Array | ReadableStream<Uint8Array>

export interface UploadOptions {
  /** Default: the Blob's own type, else `application/octet-stream`. */
  contentType?: string | undefined
  /** The digest, if it is known already: saves reading a Blob twice. The service refuses bytes of another one. */
  digest?: Digest | undefined
  /** Exact bytes of a stream, if known: sent ahead, so that the service can refuse early. */
  size?: number | undefined
  /** Told the bytes handed to the connection; for a `Uint8Array`, and in browsers, once at the end. */
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}

/** What one PUT sends, and what is known about it when the answer is there. */
export interface UploadBody {
  readonly body: Blob | Uint8Array | ReadableStream<Uint8Array>
  readonly size: number | undefined
  /** Known before the transfer. */
  readonly digest: Digest | undefined
  /** Digest of what was sent, or `null` if the answer came before the end of the body. */
  sentDigest(): Digest | null
  /** Why the body could not be read to its end; `null` if it could. */
  failure(ids: CallIds): unknown
  /** Lets go of the source after a refusal; what is still being sent breaks off and never ends cleanly. */
  release(): void
}

/**
 * Makes ready what `put` sends. Bytes and Blobs without a digest are hashed first, Blobs by reading them once.
 *
 * @throws {ArgumentError} for a size that contradicts the source; whatever reading the source throws
 */
export async function uploadBody(source: UploadSource, options: UploadOptions): Promise<UploadBody> {
  if (source instanceof ReadableStream) {
    if (streamsRequests()) return new StreamedBody(source, options)
    return uploadBody(await collected(source, options.signal), options)
  }
  const size = source instanceof Blob ? source.size : source.length
  if (options.size !== undefined && options.size !== size) {
    throw new ArgumentError(`size says ${options.size} bytes, the body has ${size}`)
  }
  const digest = options.digest ?? (await digestOfSource(source, options.signal))
  const counted = source instanceof Blob && options.onProgress !== undefined && streamsRequests()
  if (counted) return new StreamedBody(source.stream(), { ...options, size, digest })
  return {
    body: source,
    size,
    digest,
    sentDigest: () => digest,
    failure: () => null,
    release: () => undefined,
  }
}

async function digestOfSource(source: Blob | Uint8Array, signal: AbortSignal | undefined): Promise<Digest> {
  if (!(source instanceof Blob)) return digestOf(source)
  const hash = createSha256()
  const reader = source.stream().getReader()
  for (;;) {
    signal?.throwIfAborted()
    const { done, value } = await reader.read()
    if (done) return hash.digest()
    hash.update(value)
  }
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

/** Bun, Node and Deno stream request bodies over HTTP/1.1. */
function streamsRequests(): boolean {
  const { Bun, Deno, process } = globalThis as unknown as Runtimes
  return Boolean(Bun ?? Deno ?? process?.versions?.node)
}

interface Runtimes {
  Bun?: unknown
  Deno?: unknown
  process?: { versions?: { node?: string } }
}
