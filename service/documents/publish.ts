import { limits } from '../limits.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import type { Digest, DocumentRef } from '../wire/names.ts'
import { DocumentError, tooLarge } from './document-error.ts'
import { stagingKey, versionKey } from './document-key.ts'
import type { Upload } from './documents.ts'
import { type IncomingBody, openIncomingBody } from './incoming-body.ts'
import { newUploadId, promoteByStream, type StartedBody, stageInParts, uploadChanged } from './staging.ts'
import { putVersion, type VersionFacts } from './stored-version.ts'
import type { UploadBudget } from './upload-budget.ts'

/** Where the bytes of an upload are now: under which digest, and whether they were new. */
export interface Published {
  digest: Digest
  size: number
  created: boolean
}

export interface PublishOptions {
  store: ObjectStore
  budget: UploadBudget
  documentBytesMax: number
  uploadIdleSecondsMax: number
}

interface Publishing extends PublishOptions {
  ref: DocumentRef
  upload: Upload
  incoming: IncomingBody
}

/**
 * Stores the bytes of an upload under the key of their digest, or fails and leaves nothing new behind. There are
 * three strategies:
 * - {@link publishStream} for a large body whose digest and length the client promised,
 * - {@link publishBytes} for a body that fits into a buffer; its put can be retried,
 * - {@link publishInParts} for everything else.
 *
 * @throws {DocumentError} as {@link Documents.put} says, and what the store throws.
 */
export async function publish(options: PublishOptions, ref: DocumentRef, upload: Upload): Promise<Published> {
  const { size, digest, signal } = upload
  const { documentBytesMax: bytesMax, uploadIdleSecondsMax: idleSecondsMax } = options
  if (size !== undefined && size > bytesMax) throw tooLarge(bytesMax)
  const incoming = openIncomingBody(upload.body, { bytesMax, size, signal, idleSecondsMax })
  const publishing = { ...options, ref, upload, incoming }
  try {
    if (size !== undefined && digest !== undefined && size > limits.replayableBytesMax) {
      return await publishStream(publishing, { digest, size })
    }
    const capacity = Math.min(size ?? limits.bufferedBytesMax, limits.bufferedBytesMax)
    const release = await options.budget.buffer(capacity, signal)
    try {
      const buffer = new Uint8Array(capacity)
      const filled = await incoming.readInto(buffer)
      const next = filled < capacity || size === capacity ? null : await incoming.read()
      return next
        ? await publishInParts(publishing, { buffer, next })
        : await publishBytes(publishing, buffer.subarray(0, filled))
    } finally {
      release()
    }
  } catch (error) {
    // Once the body was given up, every later failure only follows from that.
    if (incoming.signal.aborted && incoming.signal.reason instanceof DocumentError)
      throw incoming.signal.reason
    throw error
  } finally {
    incoming.close()
  }
}

/** Streams the body to its final key. The store holds the last chunk back until the digest has been checked. */
async function publishStream(
  { store, ref, upload, incoming }: Publishing,
  promised: { digest: Digest; size: number },
): Promise<Published> {
  const version = { ...ref, digest: promised.digest }
  const body = incoming.stream(() => incoming.digest(promised.digest))
  const created = await putVersion(store, version, body, factsOf(upload, promised.size, incoming.signal))
  // A store that has the version answers before it has read the body: the rest must be checked all the same.
  if (!created) await incoming.drain()
  incoming.digest(promised.digest)
  return { ...promised, created }
}

/** Puts a body that has arrived as a whole. */
async function publishBytes(
  { store, ref, upload, incoming }: Publishing,
  bytes: Uint8Array,
): Promise<Published> {
  // A body of exactly the declared size has not shown its end yet.
  await incoming.drain()
  const digest = incoming.digest(upload.digest)
  const size = bytes.byteLength
  const facts = factsOf(upload, size, incoming.signal)
  return { digest, size, created: await putVersion(store, { ...ref, digest }, bytes, facts) }
}

/** Uploads the body to staging in parts while it is hashed, then promotes it to the key of its digest. */
async function publishInParts(
  { store, budget, ref, upload, incoming }: Publishing,
  started: StartedBody,
): Promise<Published> {
  const key = stagingKey(ref.tenant, newUploadId())
  const { signal } = incoming
  const staged = await stageInParts(store, key, incoming, { ...upload, started })
  const digest = incoming.digest()
  const size = incoming.bytesRead
  const version = { ...ref, digest }
  try {
    const release = await budget.promotion(signal)
    try {
      const exists = (await store.head(versionKey(version), { signal })) !== null
      const facts = factsOf(upload, size, signal)
      const promotion = { staged, version, facts, mismatch: uploadChanged }
      return { digest, size, created: !exists && (await promoteByStream(store, promotion)) }
    } finally {
      release()
    }
  } finally {
    // If this fails, the sweeper or the lifecycle rule removes the object within a day.
    await store.delete(key).catch(() => {})
  }
}

function factsOf(
  { contentType, by, admittedAt, traceId }: Upload,
  size: number,
  signal: AbortSignal,
): VersionFacts {
  return { size, contentType, by, admittedAt, traceId, signal }
}
