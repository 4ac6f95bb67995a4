import { limits } from '../limits.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import type { Digest, DocumentRef } from '../wire/names.ts'
import { DocumentError, tooLarge } from './document-error.ts'
import { stagingKey, versionKey } from './document-key.ts'
import type { Upload } from './documents.ts'
import { type IncomingBody, openIncomingBody, type UploadPace } from './incoming-body.ts'
import { newUploadId, promoteByStream, type StartedBody, stageInParts, uploadChanged } from './staging.ts'
import type { Damaged, StoredDamage } from './stored-damage.ts'
import { putVersion, type VersionFacts } from './stored-version.ts'
import type { Placed } from './upload-acceptance.ts'
import type { UploadBudget } from './upload-budget.ts'
import { readBeginning } from './upload-buffer.ts'

/**
 * Receives the bytes of an upload once they are under the key of their digest, while they are still at hand, and makes
 * them count.
 */
export type Accept<T> = (placed: Placed) => Promise<T>

export interface PublishOptions {
  store: ObjectStore
  damage: StoredDamage
  budget: UploadBudget
  documentBytesMax: number
  uploadPace?: Partial<UploadPace> | undefined
}

interface Publishing<T> extends PublishOptions {
  ref: DocumentRef
  upload: Upload
  incoming: IncomingBody
  accept: Accept<T>
}

/**
 * Stores the bytes of an upload under the key of their digest and has them accepted, or fails and leaves nothing new
 * behind. There are three strategies:
 * - {@link publishStream} for a large body whose digest and length the client promised,
 * - {@link publishBytes} for a body that fits into a buffer; its put can be retried,
 * - {@link publishInParts} for everything else.
 *
 * @throws {DocumentError} as {@link Documents.put} says, and what the store throws.
 */
export async function publish<T>(
  options: PublishOptions,
  ref: DocumentRef,
  upload: Upload,
  accept: Accept<T>,
): Promise<T> {
  const { size, digest, signal } = upload
  const { documentBytesMax: bytesMax, uploadPace: pace } = options
  if (size !== undefined && size > bytesMax) throw tooLarge(bytesMax)
  const isPromised = size !== undefined && digest !== undefined
  const late = isPromised ? undefined : digestRequired
  const incoming = openIncomingBody(upload.body, { bytesMax, size, signal, pace, late })
  const publishing = { ...options, ref, upload, incoming, accept }
  try {
    if (isPromised && size > limits.replayableBytesMax) {
      return await publishStream(publishing, { digest, size })
    }
    const capacity = Math.min(size ?? limits.bufferedBytesMax, limits.bufferedBytesMax)
    const { rate, giveUp } = incoming
    const sender = { tenant: ref.tenant, signal: incoming.signal, rate, giveUp }
    const memory = options.budget.memory(sender, size)
    try {
      const buffer = await readBeginning(incoming, capacity, memory)
      const isWhole = buffer.byteLength < capacity || size === capacity
      const next = isWhole ? null : await incoming.read()
      return next
        ? await publishInParts(publishing, { buffer, next })
        : await publishBytes(publishing, buffer)
    } finally {
      memory.release()
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
async function publishStream<T>(
  { store, damage, ref, upload, incoming, accept }: Publishing<T>,
  promised: { digest: Digest; size: number },
): Promise<T> {
  const version = { ...ref, digest: promised.digest }
  // The store is left alone until the sender has begun.
  await incoming.peek()
  const body = incoming.stream(() => incoming.digest(promised.digest))
  const facts = factsOf(upload, promised.size, incoming.signal)
  const over = damage.known(version)
  const stored = await putVersion(store, version, { body, facts, over })
  // A store that has the version answers before it has read the body: the rest must be checked all the same.
  if (!stored) await incoming.drain()
  incoming.digest(promised.digest)
  if (stored && over) damage.repaired(version)
  return accept({ ...promised, created: stored && !over })
}

/** Puts a body that has arrived as a whole. */
async function publishBytes<T>(
  { store, ref, upload, incoming, accept }: Publishing<T>,
  bytes: Uint8Array,
): Promise<T> {
  // A body of exactly the declared size has not shown its end yet.
  await incoming.drain()
  const digest = incoming.digest(upload.digest)
  const size = bytes.byteLength
  const facts = factsOf(upload, size, incoming.signal)
  const put = (over?: Damaged) => putVersion(store, { ...ref, digest }, { body: bytes, facts, over })
  return accept({ digest, size, created: await put(), bytes, again: put })
}

/** Uploads the body to staging in parts while it is hashed, then promotes it to the key of its digest. */
async function publishInParts<T>(
  { store, budget, ref, upload, incoming, accept }: Publishing<T>,
  started: StartedBody,
): Promise<T> {
  const key = stagingKey(ref.tenant, newUploadId())
  const { signal } = incoming
  const staged = await stageInParts(store, key, incoming, { ...upload, started })
  const digest = incoming.digest()
  const size = incoming.bytesRead
  const version = { ...ref, digest }
  const promotion = { staged, version, facts: factsOf(upload, size, signal), mismatch: uploadChanged }
  async function promote(over?: Damaged): Promise<boolean> {
    const release = await budget.promotion({ tenant: ref.tenant, size, signal })
    try {
      return await promoteByStream(store, promotion, over)
    } finally {
      release()
    }
  }
  try {
    const exists = (await store.head(versionKey(version), { signal })) !== null
    return await accept({ digest, size, created: !exists && (await promote()), again: promote })
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

/** `digest_required`: bytes whose digest and length were not declared are written twice, which took too long. */
function digestRequired(seconds: number): DocumentError {
  return new DocumentError(
    'digest_required',
    `The document could not be published within ${seconds} seconds. Send it again with Repr-Digest and Content-Length: then it goes straight to its place.`,
  )
}
