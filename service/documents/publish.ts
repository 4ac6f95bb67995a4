import { limits } from '../limits.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import type { Semaphore } from '../semaphore.ts'
import { DocumentError } from './document-error.ts'
import { digestHex, stagingKey, versionKey } from './document-key.ts'
import type { Digest, DocumentRef } from './document-ref.ts'
import type { Upload } from './documents.ts'
import { type IncomingBody, openIncomingBody, tooLarge } from './incoming-body.ts'
import { heldBack, verified } from './verified-stream.ts'
import { versionMetadata } from './version-index.ts'

/** What happened to the bytes: which version they are, and whether they were new. */
export interface Published {
  digest: Digest
  size: number
  created: boolean
}

export interface PublishOptions {
  store: ObjectStore
  /** Bytes that uploads may hold in buffers. */
  buffers: Semaphore
  promotions: Semaphore
  documentBytesMax: number
}

/**
 * Gets the bytes of an upload under the key of their digest, or fails with nothing there that was not before.
 * Three ways, by what the client declared: small bodies are buffered, hashed and put, and can be retried;
 * with digest and length a large one streams to its final key with its last chunk held back; anything else
 * is staged while it is hashed, and promoted.
 *
 * @throws {DocumentError} as {@link Documents.put} says, and what the store throws.
 */
export async function publish(options: PublishOptions, ref: DocumentRef, upload: Upload): Promise<Published> {
  const { size, digest } = upload
  const bytesMax = options.documentBytesMax
  if (size !== undefined && size > bytesMax) throw tooLarge(bytesMax)
  const incoming = openIncomingBody(upload.body, { bytesMax, size, signal: upload.signal })
  try {
    const streams = size !== undefined && digest !== undefined && size > limits.replayableBytesMax
    return streams
      ? await publishStreamed(options, ref, upload, incoming, { size, digest })
      : await publishBuffered(options, ref, upload, incoming)
  } catch (error) {
    // When the body was given up, every later failure is only its echo.
    if (incoming.signal.aborted && incoming.signal.reason instanceof DocumentError)
      throw incoming.signal.reason
    throw error
  } finally {
    incoming.close()
  }
}

async function publishStreamed(
  { store }: PublishOptions,
  ref: DocumentRef,
  upload: Upload,
  incoming: IncomingBody,
  expected: { digest: Digest; size: number },
): Promise<Published> {
  const agree = () => refuseMismatch(incoming.digest(), expected.digest)
  // The store may answer before it has read the body (the version exists): the rest is still to be hashed.
  const body = heldBack({ read: incoming.read, cancel() {} }, agree)
  const created = await putVersion(store, ref, upload, body, expected, incoming.signal)
  if (!created) await incoming.drain()
  agree()
  return { ...expected, created }
}

async function publishBuffered(
  options: PublishOptions,
  ref: DocumentRef,
  upload: Upload,
  incoming: IncomingBody,
): Promise<Published> {
  const { size: declared = limits.bufferedBytesMax } = upload
  const capacity = Math.min(declared, limits.bufferedBytesMax)
  const release = await admit(options.buffers, capacity, upload.signal)
  try {
    const buffer = new Uint8Array(capacity)
    const filled = await incoming.readInto(buffer)
    const next = filled < capacity || upload.size === capacity ? null : await incoming.read()
    if (next) return await publishStaged(options, ref, upload, incoming, { buffer, next })
    // At its exact size a body has not shown its end yet.
    await incoming.drain()
    const digest = incoming.digest()
    refuseMismatch(digest, upload.digest)
    const version = { digest, size: filled }
    const created = await putVersion(
      options.store,
      ref,
      upload,
      buffer.subarray(0, filled),
      version,
      incoming.signal,
    )
    return { ...version, created }
  } finally {
    release()
  }
}

/** `buffer` is full, `next` is the chunk that did not fit in it any more. */
async function publishStaged(
  { store, promotions }: PublishOptions,
  ref: DocumentRef,
  upload: Upload,
  incoming: IncomingBody,
  begun: { buffer: Uint8Array; next: Uint8Array },
): Promise<Published> {
  const key = stagingKey(ref.tenant, newUploadId())
  const { signal } = incoming
  const parts = await store.startMultipart(key, { contentType: upload.contentType, signal })
  let staged: { etag: string }
  try {
    await stageParts(incoming, begun, (part) => parts.uploadPart(part, { signal }))
    refuseMismatch(incoming.digest(), upload.digest)
    staged = await parts.complete({ signal })
  } catch (error) {
    await parts.abort()
    throw error
  }
  const version = { digest: incoming.digest(), size: incoming.bytesRead }
  try {
    const release = await admit(promotions, 1, signal)
    const created = await promote(store, ref, upload, { key, ...staged }, version).finally(release)
    return { ...version, created }
  } finally {
    // Should this fail, the sweeper or the lifecycle rule removes it within a day.
    await store.delete(key).catch(() => {})
  }
}

async function stageParts(
  incoming: IncomingBody,
  { buffer, next }: { buffer: Uint8Array; next: Uint8Array },
  uploadPart: (part: Uint8Array) => Promise<void>,
): Promise<void> {
  let filled = buffer.byteLength
  let pending: Uint8Array = next
  while (filled > 0) {
    await uploadPart(buffer.subarray(0, filled))
    const kept = Math.min(pending.byteLength, buffer.byteLength)
    buffer.set(pending.subarray(0, kept))
    pending = pending.subarray(kept)
    filled = kept + (kept < buffer.byteLength ? await incoming.readInto(buffer.subarray(kept)) : 0)
  }
}

/**
 * Staged bytes to their final key, hashed again on the way: whatever is in staging by then, only bytes of
 * this digest are published.
 */
async function promote(
  store: ObjectStore,
  ref: DocumentRef,
  upload: Upload,
  staged: { key: string; etag: string },
  version: { digest: Digest; size: number },
): Promise<boolean> {
  const { signal } = upload
  if (await store.head(versionKey({ ...ref, digest: version.digest }), { signal })) return false
  const object = await store.get(staged.key, { ifMatch: staged.etag, signal })
  if (!object) throw changed()
  const body = verified(object.body, version, changed)
  return putVersion(store, ref, upload, body, version, signal)
}

/** @returns false if the version exists: its first writer keeps it. */
async function putVersion(
  store: ObjectStore,
  ref: DocumentRef,
  upload: Upload,
  body: Uint8Array | ReadableStream<Uint8Array>,
  { digest, size }: { digest: Digest; size: number },
  signal: AbortSignal,
): Promise<boolean> {
  const { contentType, admittedAt: createdAt, by: createdBy, traceId } = upload
  const stored = await store.put(versionKey({ ...ref, digest }), body, {
    size,
    contentType,
    metadata: versionMetadata({ createdAt, createdBy, traceId }),
    sha256: digestHex(digest),
    condition: { absent: true },
    signal,
  })
  return stored !== null
}

async function admit(semaphore: Semaphore, permits: number, signal: AbortSignal): Promise<() => void> {
  const release = await semaphore.acquire(permits, { waitSecondsMax: limits.uploadWaitSecondsMax, signal })
  if (!release) throw new DocumentError('busy', 'Too many uploads are under way. Try again later.')
  return release
}

function refuseMismatch(found: Digest, declared: Digest | undefined): void {
  if (declared === undefined || found === declared) return
  throw new DocumentError(
    'digest_mismatch',
    'The bytes that arrived do not hash to the declared digest. Nothing was stored.',
    { declared, found },
  )
}

function changed(): DocumentError {
  return new DocumentError(
    'conflict',
    'The staged bytes changed before they were published. Send them again.',
  )
}

/** 128 random bits, hexadecimal. */
function newUploadId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex')
}
