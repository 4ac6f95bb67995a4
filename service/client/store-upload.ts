import type { Digest } from '../wire/names.ts'
import { type CallIds, DigestMismatchError } from './errors.ts'
import { type FormFrame, formFrame, framed } from './multipart-body.ts'
import type { OnProgress } from './progress.ts'
import { type RepeatableSource, streamOf } from './source-bytes.ts'
import { errorText, type IdleWatch, storeRefusal, storeUnreachable, watchIdle } from './store-call.ts'
import { StreamedBody, streamsRequests } from './streamed-body.ts'
import type { GivenTicket } from './ticket.ts'
import type { TransferLimits } from './transfer-limits.ts'
import { type Fetch, randomHex, runtimeFetch } from './transport.ts'
import { fetchByXhr, hasXhr } from './xhr-fetch.ts'

/** Bytes whose digest is known before they are sent. */
export interface KnownBytes {
  source: RepeatableSource
  digest: Digest
  size: number
}

export interface StoreUploadOptions {
  fetch: Fetch | undefined
  limits: TransferLimits
  onProgress: OnProgress | undefined
  signal: AbortSignal | undefined
}

/** One try to send the bytes, and the ids of the call that gave its ticket. */
interface Try extends StoreUploadOptions {
  request: StoreRequest
  bytes: KnownBytes
  ids: CallIds
  watch: IdleWatch
}

/** One request to the store, without its body. */
interface StoreRequest {
  url: string
  method: 'POST' | 'PUT'
  headers: Record<string, string>
  frame: FormFrame | null
}

/**
 * Sends the bytes to the store as the ticket says, once. Nothing is published before the upload is completed.
 *
 * @throws {StoreError} if the store was not reached, stalled or refused
 * @throws {DigestMismatchError} the source has changed since it was hashed
 * @throws what reading the source throws; the reason of the signal if it was aborted
 */
export async function sendToStore(
  given: GivenTicket,
  bytes: KnownBytes,
  options: StoreUploadOptions,
): Promise<void> {
  options.signal?.throwIfAborted()
  const request = requestOf(given, bytes.size)
  const watch = watchIdle(options.limits, options.signal)
  const send = streamsRequests() ? sendStreamed : sendWhole
  try {
    await send({ ...options, request, bytes, ids: given.ids, watch })
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason
    if (watch.stalled) throw storeUnreachable(request.url, { code: 'stalled' }, given.ids)
    throw error
  } finally {
    watch.stop()
  }
}

function requestOf({ ticket }: GivenTicket, size: number): StoreRequest {
  const { url, method } = ticket
  if (ticket.method === 'PUT') return { url, method, headers: { ...ticket.headers }, frame: null }
  const frame = formFrame(ticket.fields, randomHex(16))
  const length = frame.head.length + size + frame.tail.length
  return { url, method, headers: { 'content-type': frame.contentType, 'content-length': `${length}` }, frame }
}

async function sendStreamed(attempt: Try): Promise<void> {
  const { request, ids, onProgress, watch } = attempt
  const { source, digest, size } = attempt.bytes
  const file = new StreamedBody(streamOf(source), {
    size,
    onProgress: (progress) => {
      watch.moved(progress.bytes === size)
      onProgress?.(progress)
    },
  })
  // There is nothing to stream, and a runtime would send an empty stream in chunks.
  const empty = size === 0 && request.frame === null
  const body = empty ? new Uint8Array() : request.frame ? framed(request.frame, file.body) : file.body
  try {
    await sendByFetch(attempt, body)
  } catch (error) {
    const cause = file.failure(ids)
    file.release()
    throw cause ?? error
  }
  const sent = file.sentDigest()
  if (sent === null) throw storeUnreachable(request.url, { code: 'answered_before_the_end' }, ids)
  if (sent !== digest) throw new DigestMismatchError(digest, sent, ids)
}

/** A browser sends a Blob from wherever it is, also in a form, without reading it into memory. */
async function sendWhole(attempt: Try): Promise<void> {
  const { fetch, onProgress, watch } = attempt
  const { frame } = attempt.request
  const { source, size } = attempt.bytes
  const parts = frame ? [frame.head, source, frame.tail] : [source]
  const body = new Blob(parts as BlobPart[])
  if (fetch !== undefined || !hasXhr()) {
    // `fetch` does not report progress, so a stall cannot be detected.
    watch.relax()
    await sendByFetch(attempt, body)
    return onProgress?.({ bytes: size, totalBytes: size })
  }
  const headBytes = frame?.head.length ?? 0
  const onBytes = (sent: number) => {
    watch.moved(sent >= body.size)
    onProgress?.({ bytes: Math.min(Math.max(sent - headBytes, 0), size), totalBytes: size })
  }
  await sendByFetch({ ...attempt, fetch: (url, init) => fetchByXhr(url, init, onBytes) }, body)
}

async function sendByFetch(
  { request: { url, method, headers }, ids, fetch, watch: { signal } }: Try,
  body: Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
): Promise<void> {
  const init: RequestInit & { duplex: 'half' } = {
    method,
    headers,
    body,
    signal,
    duplex: 'half',
    // See `redirectOf`: anything else keeps the body in memory, and a redirect would not be signed.
    redirect: 'error',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
  }
  const response = await (fetch ?? runtimeFetch)(url, init).catch((error) => {
    throw storeUnreachable(url, error, ids)
  })
  if (!response.ok) throw await storeRefusal(url, response, ids)
  await errorText(response)
}
