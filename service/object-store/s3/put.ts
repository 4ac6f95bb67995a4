import { type ObjectInfo, ObjectStoreError, type PutOptions, type PutResult } from '../object-store.ts'
import { tap } from '../tap.ts'
import { metadataPrefix, toObjectInfo, unquote } from './answers.ts'
import { checksumOf } from './checksum.ts'
import type { StoreDeadlines } from './connection.ts'
import type { S3Connections } from './connections.ts'
import { refuseAbsentBucket, toObjectStoreError } from './errors.ts'
import { unsignedPayload } from './request-signer.ts'
import type { SignedFetch, StoreRequest } from './signed-fetch.ts'

/** The port's `put`, which also sends a part of an upload in parts, named by its query. */
export type S3Put = (
  key: string,
  body: SentBody['body'],
  options: PutOptions & { query?: Record<string, string> },
) => Promise<PutResult | null>

/**
 * Creates the port's `put`.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export function createS3Put(
  signedFetch: SignedFetch,
  connections: S3Connections,
  { transferSecondsMax }: StoreDeadlines,
): S3Put {
  /** A failed try may still have stored the body: the next try is then refused because of its own object. */
  async function send(
    key: string,
    request: StoreRequest,
    body: SentBody['body'],
    options: PutOptions,
  ): Promise<PutResult | null> {
    let lastTry = 1
    const result = await signedFetch.send(request, (response, tries) => {
      lastTry = tries
      return toPutResult(response)
    })
    if (result !== null || lastTry === 1 || !(body instanceof Uint8Array)) return result
    const { signal } = options
    const look = { operation: 'put', method: 'HEAD', key, accepts: [200, 404], signal } as const
    const found = await signedFetch.send(look, (response) =>
      response.status === 404 ? null : toObjectInfo(key, response.headers),
    )
    return found !== null && isOf(found, body, options) ? { etag: found.etag } : null
  }

  return async (key, body, options) => {
    const sent = await exactBody(body, options)
    const stall = sent.streamed ? watchStall(sent, transferSecondsMax) : null
    try {
      const request = {
        operation: 'put',
        method: 'PUT',
        key,
        query: options.query ?? {},
        headers: headersOf(options),
        body: { content: sent.body, size: options.size, sha256: signedSha256(options) },
        accepts: [200, ...refusalsOf(options.condition)],
        once: options.once,
        signal: eitherOf(options.signal, stall?.signal),
      } as const
      const body = sent.streamed ? 'written' : undefined
      return await connections.use({ operation: 'put', key, body, signal: options.signal }, () =>
        send(key, request, sent.body, options),
      )
    } catch (error) {
      options.signal?.throwIfAborted()
      const failure = sent.failure()
      throw failure ? failure.reason : toObjectStoreError('put', error)
    } finally {
      stall?.stop()
      sent.discard()
    }
  }
}

/**
 * True if the object is the one that was sent, metadata included. Two writers who send the very same both see
 * their own. Never true where ETags are not an MD5 (encryption with a key of the caller's).
 */
function isOf(found: ObjectInfo, body: Uint8Array, { contentType, metadata = {} }: PutOptions): boolean {
  const md5 = new Bun.CryptoHasher('md5').update(body).digest('hex')
  return (
    found.etag === md5 && found.contentType === contentType && Bun.deepEquals(found.metadata, { ...metadata })
  )
}

/** Returns a signal that is aborted with either of them. */
export function eitherOf(
  one: AbortSignal | undefined,
  other: AbortSignal | undefined,
): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other)
}

/** One of them is enough: MinIO computes one hash for the signature, and another one for the checksum (measured). */
function signedSha256({ sha256, keepsChecksum }: PutOptions): string | undefined {
  return keepsChecksum && sha256 !== undefined ? unsignedPayload : sha256
}

function headersOf(options: PutOptions): Record<string, string> {
  const { contentType, metadata = {}, condition, sha256, keepsChecksum } = options
  const headers: Record<string, string> = { 'content-type': contentType, ...conditionHeaders(condition) }
  if (keepsChecksum && sha256 !== undefined) Object.assign(headers, checksumOf(sha256))
  for (const [name, value] of Object.entries(metadata)) headers[metadataPrefix + name] = value
  return headers
}

function conditionHeaders(condition: PutOptions['condition']): Record<string, string> {
  if (!condition) return {}
  // Without quotes: RGW 16.2 answers 412 to every quoted ETag, MinIO takes both.
  return 'absent' in condition ? { 'if-none-match': '*' } : { 'if-match': condition.etag }
}

/**
 * Statuses that say "the condition does not hold". Not 409, which says that the write lost a race: if it lost against a
 * delete, the object that it was compared with is gone (S3 API, PutObject, "ConditionalRequestConflict").
 */
function refusalsOf(condition: PutOptions['condition']): readonly number[] {
  if (!condition) return []
  return 'absent' in condition ? [412] : [412, 404]
}

async function toPutResult(response: Response): Promise<PutResult | null> {
  const text = await response.text()
  if (response.status === 200) return { etag: unquote(response.headers.get('etag') ?? '') }
  refuseAbsentBucket('put', text)
  return null
}

/** A body on its way to the store. */
interface SentBody {
  body: Uint8Array | ReadableStream<Uint8Array>
  /** Why the body cannot be sent, once known: fetch wraps or swallows what a stream throws. */
  failure(): { reason: unknown } | null
  /** Cancels the source, in case the store did not take all of it. */
  discard(): void
  /** True for a stream, which can be sent only once. */
  streamed: boolean
  /** When the store last took bytes or waited for them (`performance.now()`); now, for a buffer. */
  lastMoveMs(): number
}

/**
 * Makes sure that exactly `size` bytes are sent or the request fails. The last chunk is held back until the source has
 * ended, because a store that has all promised bytes publishes them, whatever follows. A stream of no bytes is
 * therefore read to its end before anything is sent.
 *
 * @throws {ObjectStoreError} `rejected` for a body of another size, as soon as that is known.
 */
async function exactBody(
  source: Uint8Array | ReadableStream<Uint8Array>,
  { size, signal }: Pick<PutOptions, 'size' | 'signal'>,
): Promise<SentBody> {
  if (source instanceof ReadableStream && size > 0) return exactStream(source, size)
  const body = source instanceof ReadableStream ? await emptyBytes(source, signal) : source
  if (body.byteLength !== size) throw incomplete()
  return { body, failure: () => null, discard() {}, streamed: false, lastMoveMs: () => performance.now() }
}

/**
 * Aborts once the store has neither taken a byte nor answered for `secondsMax`. A deadline for the whole upload would
 * cut long ones; without any, they would hang on a store that has stopped.
 */
function watchStall(sent: SentBody, secondsMax: number): { signal: AbortSignal; stop(): void } {
  const stalled = new AbortController()
  const timer = setInterval(
    () => {
      if (performance.now() - sent.lastMoveMs() < secondsMax * 1000) return
      stalled.abort(new ObjectStoreError('unavailable', 'put', 'TimedOut'))
    },
    Math.min(1000, secondsMax * 250),
  )
  return { signal: stalled.signal, stop: () => clearInterval(timer) }
}

/** Reads a stream that should have no bytes, to its end or to its first byte. */
async function emptyBytes(
  source: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const reader = source.getReader()
  const abandon = () => void reader.cancel(signal?.reason).catch(() => {})
  signal?.addEventListener('abort', abandon, { once: true })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      signal?.throwIfAborted()
      if (done) return new Uint8Array()
      if (value.byteLength > 0) throw incomplete()
    }
  } finally {
    signal?.removeEventListener('abort', abandon)
    // Without effect on a stream that has ended.
    reader.cancel().catch(() => {})
  }
}

function exactStream(source: ReadableStream<Uint8Array>, size: number): SentBody {
  const reader = source.getReader()
  let failed: { reason: unknown } | null = null
  let unread = size
  let reading = false
  let movedAt = performance.now()

  async function read() {
    reading = true
    try {
      for (;;) {
        const next = await reader.read()
        if (next.done || next.value.byteLength > 0) return next
      }
    } finally {
      reading = false
      movedAt = performance.now()
    }
  }
  const body = tap(
    { read, cancel: (reason: unknown) => reader.cancel(reason) },
    {
      onChunk(chunk) {
        unread -= chunk.byteLength
        if (unread < 0) throw incomplete()
      },
      onEnd() {
        if (unread > 0) throw incomplete()
      },
      onFailure(reason) {
        failed = { reason }
        return reason
      },
      holdLast: true,
    },
  )
  const discard = () => void reader.cancel().catch(() => {})
  // While the source is being read, it is the source that takes its time.
  const lastMoveMs = () => (reading ? performance.now() : movedAt)
  return { body, failure: () => failed, discard, streamed: true, lastMoveMs }
}

function incomplete(): ObjectStoreError {
  return new ObjectStoreError('rejected', 'put', 'IncompleteBody')
}
