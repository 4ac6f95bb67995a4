import { limits } from '../limits.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import type { Semaphore } from '../semaphore.ts'
import type { Digest, DocumentRef, VersionRef } from '../wire/names.ts'
import { DocumentError } from './document-error.ts'
import { stagingKey, versionKey } from './document-key.ts'
import type { Upload } from './documents.ts'
import { noteGarbage } from './garbage.ts'
import { type IncomingBody, openIncomingBody, tooLarge } from './incoming-body.ts'
import { heldBack } from './verified-stream.ts'
import {
  promoteByStream,
  putVersion,
  type StagedBytes,
  uploadChanged,
  type VersionFacts,
} from './version-writer.ts'

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
  uploadIdleSecondsMax: number
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
  const { signal } = upload
  const idleSecondsMax = options.uploadIdleSecondsMax
  const incoming = openIncomingBody(upload.body, { bytesMax, size, signal, idleSecondsMax })
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
  const facts = factsOf(upload, expected.size)
  const created = await putVersion(store, { ...ref, digest: expected.digest }, body, facts, incoming.signal)
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
    const bytes = buffer.subarray(0, filled)
    const facts = factsOf(upload, filled)
    const created = await putVersion(options.store, { ...ref, digest }, bytes, facts, incoming.signal)
    return { digest, size: filled, created }
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
    // Where only the answer to `complete` was lost, the parts have become an object.
    await store.delete(key).catch(() => {})
    throw error
  }
  const digest = incoming.digest()
  const size = incoming.bytesRead
  const version = { ...ref, digest }
  try {
    const release = await admit(promotions, 1, signal)
    const created = await promote(store, { key, ...staged }, version, factsOf(upload, size), signal).finally(
      release,
    )
    return { digest, size, created }
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
    noteGarbage(filled)
    const kept = Math.min(pending.byteLength, buffer.byteLength)
    buffer.set(pending.subarray(0, kept))
    pending = pending.subarray(kept)
    filled = kept + (kept < buffer.byteLength ? await incoming.readInto(buffer.subarray(kept)) : 0)
  }
}

async function promote(
  store: ObjectStore,
  staged: StagedBytes,
  version: VersionRef,
  facts: VersionFacts,
  signal: AbortSignal,
): Promise<boolean> {
  if (await store.head(versionKey(version), { signal })) return false
  return promoteByStream(store, staged, version, facts, uploadChanged, signal)
}

/** @throws {DocumentError} `busy` if the permits cannot be had in time. */
export async function admit(semaphore: Semaphore, permits: number, signal: AbortSignal): Promise<() => void> {
  const release = await semaphore.acquire(permits, { waitSecondsMax: limits.uploadWaitSecondsMax, signal })
  if (!release) throw new DocumentError('busy', 'Too many uploads are under way. Try again later.')
  return release
}

function factsOf({ contentType, by, admittedAt, traceId }: Upload, size: number): VersionFacts {
  return { size, contentType, by, admittedAt, traceId }
}

function refuseMismatch(found: Digest, declared: Digest | undefined): void {
  if (declared === undefined || found === declared) return
  throw digestMismatch(declared, found)
}

export function digestMismatch(declared: Digest, found: Digest): DocumentError {
  return new DocumentError(
    'digest_mismatch',
    'The bytes that arrived do not hash to the declared digest. Nothing was stored.',
    { declared, found },
  )
}

/** 128 random bits, hexadecimal. */
export function newUploadId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex')
}
