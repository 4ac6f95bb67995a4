import { parseRetryAfter } from '../../wire/retry-after.ts'
import { ObjectStoreError } from '../object-store.ts'
import { fetchOptions } from './client.ts'
import { deadlinesOf, type S3Connection } from './connection.ts'
import { codeOfStatus } from './error.ts'
import { createRequestSigner, emptySha256 } from './request-signer.ts'
import { withRetries } from './retry.ts'

/**
 * Decision: the calls that clients wait for most (GetObject, HeadObject, PutObject, ListObjectsV2) go through
 * the SDK's signer and Bun's fetch, without the SDK's client. Measured on 2 cores against MinIO: 4 KiB GETs
 * 6,900/s against 2,700/s, lists of 1,000 keys 93/s against 56/s; CPU of the service for an upload of 4 KiB,
 * its tag included, 1.3 ms against 2.2 ms. Everything else keeps the client. Revisit when
 * the client's calls come within a fifth of this.
 */
export interface SignedFetch {
  /**
   * One request, with retries of what may succeed later; never of a streamed body.
   *
   * @param read makes of an accepted answer what the caller wants. It counts towards the time in which the
   *   store must answer; a body that it leaves alone is the caller's to read or cancel. `tries` is 1 unless
   *   earlier tries failed, which may yet have done their work.
   * @throws {ObjectStoreError} for every answer that is not accepted, and for none; the signal's reason.
   */
  send<T>(request: StoreRequest, read: (response: Response, tries: number) => T | Promise<T>): Promise<T>
}

export interface StoreRequest {
  /** The port's method, for errors. */
  operation: string
  method: 'GET' | 'HEAD' | 'PUT'
  /** Object, or `null` for the bucket itself. */
  key: string | null
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: RequestBody
  /** Statuses that are an answer rather than a failure. */
  accepts: readonly number[]
  signal?: AbortSignal | undefined
}

export interface RequestBody {
  content: Uint8Array | ReadableStream<Uint8Array>
  /** Bytes, exactly. */
  size: number
  /** Hexadecimal, where it is known; the store then checks the bytes against it. */
  sha256?: string | undefined
}

export function createSignedFetch(connection: S3Connection): SignedFetch {
  const sign = createRequestSigner(connection)
  const options = fetchOptions(connection)
  const { answerSecondsMax } = deadlinesOf(connection)

  async function attempt<T>(request: StoreRequest, read: (response: Response) => T | Promise<T>): Promise<T> {
    const { url, headers } = await sign({
      method: request.method,
      key: request.key,
      query: request.query ?? {},
      headers: request.body
        ? { ...request.headers, 'content-length': String(request.body.size) }
        : (request.headers ?? {}),
      payloadSha256: payloadSha256(request.body),
    })
    const late = new AbortController()
    // A streamed body takes as long as its sender does.
    const timer = isStreamed(request) ? undefined : setTimeout(() => late.abort(), answerSecondsMax * 1000)
    try {
      const response = await fetch(url, {
        ...options,
        method: request.method,
        headers: { ...headers, 'accept-encoding': 'identity' },
        ...(request.body ? { body: request.body.content as BodyInit } : {}),
        signal: request.signal ? AbortSignal.any([request.signal, late.signal]) : late.signal,
      })
      if (!request.accepts.includes(response.status)) throw await refusal(request.operation, response)
      return await read(response)
    } catch (error) {
      request.signal?.throwIfAborted()
      if (error instanceof ObjectStoreError) throw error
      throw new ObjectStoreError('unavailable', request.operation, transportReason(error, late.signal))
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    send(request, read) {
      if (isStreamed(request)) return attempt(request, (response) => read(response, 1))
      return withRetries((tries) => attempt(request, (response) => read(response, tries)), request.signal)
    },
  }
}

function isStreamed({ body }: StoreRequest): boolean {
  return body?.content instanceof ReadableStream
}

function payloadSha256(body: RequestBody | undefined): string {
  if (!body) return emptySha256
  if (body.sha256 !== undefined) return body.sha256
  // S3 API, "Authenticating requests: using the Authorization header": the literal for a payload not hashed.
  return body.content instanceof Uint8Array ? Bun.SHA256.hash(body.content, 'hex') : 'UNSIGNED-PAYLOAD'
}

async function refusal(operation: string, response: Response): Promise<ObjectStoreError> {
  // Error bodies are a few hundred bytes; overload may answer with a page of HTML, which says nothing.
  const text = await response.text().catch(() => '')
  const code = /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1]
  const reason = code ?? `Status${response.status}`
  const retryAfter = parseRetryAfter(response.headers.get('retry-after'))
  return new ObjectStoreError(codeOfStatus(response.status), operation, reason, retryAfter)
}

function transportReason(error: unknown, timeout: AbortSignal): string {
  if (timeout.aborted) return 'TimedOut'
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' && /^[A-Za-z_]{1,64}$/.test(code) ? code : 'NoAnswer'
}
