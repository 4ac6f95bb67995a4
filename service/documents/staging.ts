import { type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'
import type { Digest, VersionRef } from '../wire/names.ts'
import { DocumentError } from './document-error.ts'
import { versionKey } from './document-key.ts'
import { noteGarbage } from './heap-pressure.ts'
import type { IncomingBody } from './incoming-body.ts'
import type { Damaged } from './stored-damage.ts'
import { putVersion, type VersionFacts, versionMetadata } from './stored-version.ts'
import { checked, type OnMismatch } from './verified-stream.ts'

/** An object in `staging/` as it was seen: the ETag pins its bytes. */
export interface StagedBytes {
  key: string
  etag: string
}

/** Returns 128 random bits in hexadecimal: the name of an upload in `staging/`, or of a signed URL. */
export function newUploadId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex')
}

/** The beginning of a body that did not fit into its buffer. */
export interface StartedBody {
  /** Full; reused for every part. */
  buffer: Uint8Array
  /** The chunk that followed. */
  next: Uint8Array
}

/**
 * Uploads a body to staging in parts of the buffer's size and joins them once it has ended with the declared digest.
 *
 * @throws {DocumentError} `digest_mismatch`, and what the body and the store throw; then nothing is left in staging.
 */
export async function stageInParts(
  store: ObjectStore,
  key: string,
  incoming: IncomingBody,
  {
    contentType,
    digest,
    started,
  }: { contentType: string; digest?: Digest | undefined; started: StartedBody },
): Promise<StagedBytes> {
  const { signal } = incoming
  const parts = await store.startMultipart(key, { contentType, signal })
  try {
    const { buffer } = started
    let filled = buffer.byteLength
    let pending = started.next
    while (filled > 0) {
      await parts.uploadPart(buffer.subarray(0, filled), { signal })
      noteGarbage(filled)
      const kept = Math.min(pending.byteLength, buffer.byteLength)
      buffer.set(pending.subarray(0, kept))
      pending = pending.subarray(kept)
      filled = kept + (kept < buffer.byteLength ? await incoming.readInto(buffer.subarray(kept)) : 0)
    }
    incoming.digest(digest)
    return { key, ...(await parts.complete({ signal })) }
  } catch (error) {
    await parts.abort()
    // If only the answer to `complete` was lost, the parts have become an object.
    await store.delete(key).catch(() => {})
    throw error
  }
}

/** Staged bytes and the version that they are to become. */
export interface Promotion {
  staged: StagedBytes
  version: VersionRef
  facts: VersionFacts
  /** Makes the error for staged bytes of another digest or size. */
  mismatch: OnMismatch
}

/**
 * Streams staged bytes to their final key and hashes them on the way: only bytes of this digest are published,
 * whatever has happened in staging.
 *
 * @param over a damaged object that the bytes replace.
 * @returns false if the version exists, or the damaged object is no longer there.
 * @throws {DocumentError} `upload_changed` if the staged bytes are no longer the pinned ones; that of `mismatch`.
 */
export async function promoteByStream(
  store: ObjectStore,
  { staged, version, facts, mismatch }: Promotion,
  over?: Damaged,
): Promise<boolean> {
  const { body: source } = await openStaged(store, staged, facts.signal)
  const onChunk = ({ byteLength }: Uint8Array) => noteGarbage(byteLength)
  const expected = { digest: version.digest, size: facts.size }
  return putVersion(store, version, { body: checked(source, expected, mismatch, onChunk), facts, over })
}

/**
 * Copies staged bytes to their final key inside the store, unless the version exists. Allowed only if the store refused
 * wrong bytes at the upload, honours the pin, and lets the first writer win: nothing is hashed here.
 *
 * @returns false if the version exists.
 * @throws {DocumentError} `upload_changed` as above.
 */
export async function promoteByCopy(
  store: ObjectStore,
  { staged, version, facts }: Promotion,
): Promise<boolean> {
  const { contentType, size, signal } = facts
  const metadata = versionMetadata(facts)
  const options = { ifMatch: staged.etag, size, contentType, metadata, signal }
  const outcome = await store.copyAbsent(staged.key, versionKey(version), options)
  if (outcome === 'changed') throw uploadChanged()
  return outcome === 'copied'
}

/**
 * Reads staged bytes to their end and publishes nothing.
 *
 * @throws {DocumentError} `upload_changed` as above; that of `mismatch`.
 */
export async function verifyStaged(
  store: ObjectStore,
  { staged, version, facts, mismatch }: Promotion,
): Promise<void> {
  const { body } = await openStaged(store, staged, facts.signal)
  const expected = { digest: version.digest, size: facts.size }
  for await (const _ of checked(body, expected, mismatch)) {
    // Only how it ends counts.
  }
}

/** @throws {DocumentError} `upload_changed` if the object is gone or has another ETag. */
async function openStaged(store: ObjectStore, { key, etag }: StagedBytes, signal: AbortSignal) {
  try {
    const object = await store.get(key, { ifMatch: etag, signal })
    if (object) return object
  } catch (error) {
    if (!(error instanceof ObjectStoreError) || error.code !== 'precondition_failed') throw error
  }
  throw uploadChanged()
}

/** `upload_changed`: what lies in staging is not what was verified. */
export function uploadChanged(): DocumentError {
  return new DocumentError(
    'upload_changed',
    'The staged bytes changed while they were being published. Nothing was published; upload them again.',
  )
}
