import { type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'
import { tap } from '../object-store/tap.ts'
import { DocumentError } from './document-error.ts'
import { digestHex, versionKey } from './document-key.ts'
import type { Digest, VersionRef } from './document-ref.ts'
import { noteGarbage } from './garbage.ts'
import { verified } from './verified-stream.ts'
import { versionMetadata } from './version-index.ts'

/** What is kept with the bytes of a version. */
export interface VersionFacts {
  size: number
  contentType: string
  by: string
  admittedAt: Date
  traceId: string
}

/** Bytes in `staging/`, as they were seen: the ETag pins them. */
export interface StagedBytes {
  key: string
  etag: string
}

/**
 * Writes the bytes of a version under its final key, if there are none.
 *
 * @returns false if the version exists: its first writer keeps it.
 */
export async function putVersion(
  store: ObjectStore,
  ref: VersionRef,
  body: Uint8Array | ReadableStream<Uint8Array>,
  facts: VersionFacts,
  signal: AbortSignal,
): Promise<boolean> {
  const stored = await store.put(versionKey(ref), body, {
    size: facts.size,
    contentType: facts.contentType,
    metadata: metadataOf(facts),
    sha256: digestHex(ref.digest),
    condition: { absent: true },
    signal,
  })
  return stored !== null
}

/**
 * Streams staged bytes to their final key and hashes them on the way: whatever is in staging by then, only
 * bytes of this digest are published.
 *
 * @param mismatch made into the error for bytes of another digest or size.
 * @returns false if the version exists.
 * @throws {DocumentError} `upload_changed` if the staged bytes are not the pinned ones any more.
 */
export async function promoteByStream(
  store: ObjectStore,
  staged: StagedBytes,
  ref: VersionRef,
  facts: VersionFacts,
  mismatch: (found: { digest: Digest; size: number }) => DocumentError,
  signal: AbortSignal,
): Promise<boolean> {
  const object = await openStaged(store, staged, signal)
  const source = tap(object.body, { onChunk: ({ byteLength }) => noteGarbage(byteLength) })
  const body = verified(source, { digest: ref.digest, size: facts.size }, mismatch)
  return putVersion(store, ref, body, facts, signal)
}

/**
 * Copies staged bytes to their final key inside the store. Only where the store refused wrong bytes at the
 * upload, and honours the pin: nothing is hashed here.
 *
 * Decision: few stores know "if absent" for the target of a copy (measured: SeaweedFS heeds If-None-Match there,
 * MinIO and RGW 16.2 ignore it). Completions of one version follow each other on a replica, but two replicas, or
 * a completion and a streamed upload, that publish the same version in the same moment may both write it: the
 * same bytes, but the later one's metadata. Revisit when MinIO and RGW heed If-None-Match on CopyObject.
 *
 * @throws {DocumentError} `upload_changed` as above, or if the copy is not what was pinned; `conflict` if it was
 *   deleted at once.
 */
export async function promoteByCopy(
  store: ObjectStore,
  staged: StagedBytes,
  ref: VersionRef,
  facts: VersionFacts,
  signal: AbortSignal,
): Promise<boolean> {
  const key = versionKey(ref)
  const { contentType } = facts
  const copied = await store.copy(staged.key, key, {
    ifMatch: staged.etag,
    contentType,
    metadata: metadataOf(facts),
    signal,
  })
  if (!copied) throw uploadChanged()
  const info = await store.head(key, { checksum: true, signal })
  if (!info) throw versionDeleted()
  const same = info.size === facts.size && info.etag === copied.etag && info.etag === staged.etag
  const hashed = info.sha256 === undefined || info.sha256 === digestHex(ref.digest)
  if (same && hashed) return true
  await store.delete(key, { signal })
  throw uploadChanged()
}

/** @throws {DocumentError} `upload_changed` if it is gone or has another ETag. */
export async function openStaged(store: ObjectStore, { key, etag }: StagedBytes, signal: AbortSignal) {
  try {
    const object = await store.get(key, { ifMatch: etag, signal })
    if (object) return object
  } catch (error) {
    if (!(error instanceof ObjectStoreError) || error.code !== 'precondition_failed') throw error
  }
  throw uploadChanged()
}

export function versionDeleted(): DocumentError {
  return new DocumentError('conflict', 'The version was deleted meanwhile. Send it again.')
}

export function uploadChanged(): DocumentError {
  return new DocumentError(
    'upload_changed',
    'The staged bytes changed while they were being published. Nothing was published; upload them again.',
  )
}

function metadataOf({ admittedAt, by, traceId }: VersionFacts): Record<string, string> {
  return versionMetadata({ createdAt: admittedAt, createdBy: by, traceId })
}
