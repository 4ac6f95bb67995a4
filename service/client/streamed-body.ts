import type { Digest } from '../wire/names.ts'
import { ArgumentError, type CallIds, SizeMismatchError } from './errors.ts'
import type { OnProgress } from './progress.ts'
import { createSha256 } from './sha256.ts'

/** The body of one PUT, and what is known about it after the answer. */
export interface UploadBody {
  readonly body: Blob | Uint8Array | ReadableStream<Uint8Array>
  readonly size: number | undefined
  /** Known before the transfer. */
  readonly digest: Digest | undefined
  /** Digest of what was sent, or `null` if the answer came before the end of the body. */
  sentDigest(): Digest | null
  /** Why the body could not be read to its end; `null` if it could. */
  failure(ids: CallIds): unknown
  /** Releases the source after a refusal; a body that is still being sent breaks off and never ends cleanly. */
  release(): void
}

/**
 * Hashes and counts a stream while the runtime sends it. A source that errs, or gives another number of bytes
 * than `size`, makes the stream err, so that the runtime breaks the request off instead of ending it.
 */
export class StreamedBody implements UploadBody {
  readonly body: ReadableStream<Uint8Array>
  readonly size: number | undefined
  readonly digest: Digest | undefined
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #onProgress: OnProgress | undefined
  readonly #hash = createSha256()
  #bytes = 0
  #ended = false
  #failure: ((ids: CallIds) => unknown) | null = null

  constructor(
    source: ReadableStream<Uint8Array>,
    options: { size?: number | undefined; digest?: Digest | undefined; onProgress?: OnProgress | undefined },
  ) {
    this.size = options.size
    this.digest = options.digest
    this.#onProgress = options.onProgress
    this.#reader = source.getReader()
    this.body = new ReadableStream(
      { pull: (controller) => this.#pull(controller), cancel: () => this.release() },
      { highWaterMark: 0 },
    )
  }

  /** A sized body is complete for the runtime at its last byte: it need not ask for the end. */
  sentDigest(): Digest | null {
    return this.#ended || this.#bytes === this.size ? this.#hash.digest() : null
  }

  failure(ids: CallIds): unknown {
    return this.#failure?.(ids) ?? null
  }

  /** Marked as failed first: a source that is cancelled ends its pending read as if it were complete. */
  release(): void {
    this.#failure ??= () => null
    this.#reader.cancel().catch(() => undefined)
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const chunk = await this.#next()
    if (chunk === null) {
      this.#end()
      return controller.close()
    }
    this.#take(chunk)
    controller.enqueue(chunk)
  }

  async #next(): Promise<Uint8Array | null> {
    for (;;) {
      const { done, value } = await this.#reader.read().catch((error) => this.#fail(() => error))
      if (this.#failure) return this.#fail(this.#failure)
      if (done) return null
      if (!(value instanceof Uint8Array)) {
        return this.#fail(() => new ArgumentError('The stream gave something other than bytes.'))
      }
      // An empty chunk is the terminator of a chunked body (RFC 9112 section 7.1).
      if (value.length > 0) return value
    }
  }

  #take(chunk: Uint8Array): void {
    this.#bytes += chunk.length
    if (this.size !== undefined && this.#bytes > this.size) this.#failSize(this.size)
    this.#hash.update(chunk)
    this.#onProgress?.({ bytes: this.#bytes, totalBytes: this.size ?? null })
  }

  #end(): void {
    if (this.size !== undefined && this.#bytes !== this.size) this.#failSize(this.size)
    this.#ended = true
  }

  #failSize(expected: number): never {
    const actual = this.#bytes
    return this.#fail((ids) => new SizeMismatchError(expected, actual, ids))
  }

  #fail(failure: (ids: CallIds) => unknown): never {
    this.#failure = failure
    this.#reader.cancel().catch(() => undefined)
    throw new Error('The upload was abandoned.')
  }
}

interface Runtimes {
  Bun?: unknown
  Deno?: unknown
  process?: { versions?: { node?: string } }
}

/** Returns whether this runtime streams request bodies over HTTP/1.1: Bun, Node and Deno do, browsers do not. */
export function streamsRequests(): boolean {
  const { Bun, Deno, process } = globalThis as unknown as Runtimes
  return Boolean(Bun ?? Deno ?? process?.versions?.node)
}
