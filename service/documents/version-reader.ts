import { limits } from '../limits.ts'
import { isWhole, type ObjectBody, type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'
import { tap } from '../object-store/tap.ts'
import type { ByteRange } from '../wire/byte-range.ts'
import type { Digest, VersionRef } from '../wire/names.ts'
import { continuedBody } from './continued-body.ts'
import { DocumentError, versionNotFound } from './document-error.ts'
import { digestHex, digestOfHex, versionKey } from './document-key.ts'
import type { OpenOptions, OpenVersion } from './documents.ts'
import { toStoredVersion } from './stored-version.ts'
import { type Identity, type OnMismatch, verified } from './verified-stream.ts'

/** Receives every read whose bytes did not hash to their digest: the gravest failure of this service. */
export type OnIntegrityViolation = (ref: VersionRef, found: Identity) => void

export interface ReadOptions {
  onIntegrityViolation: OnIntegrityViolation
  /** Whether a version is taken to be whole if the store reports its SHA-256 (ARCHITECTURE.md, "How a download runs"). */
  storeVouches(): boolean
}

/** Opens a version for reading. @throws {DocumentError} as {@link Documents.open} says; `integrity_violated` for a small damaged version. */
export async function openVersion(
  store: ObjectStore,
  ref: VersionRef,
  options: OpenOptions,
  { onIntegrityViolation, storeVouches }: ReadOptions,
): Promise<OpenVersion> {
  const { range, signal, mayPassOn = false } = options
  const vouchedSha256 = mayPassOn && storeVouches() ? digestHex(ref.digest) : undefined
  const object = range
    ? await getOrRefuseRange(store, ref, { range, signal })
    : await store.getWhole(versionKey(ref), { bytesMax: limits.wholeReadBytesMax, vouchedSha256, signal })
  if (!object || object === 'unchanged') throw versionNotFound()
  const version = toStoredVersion(ref, object)
  // A part of the bytes cannot be checked against the digest of the whole: the client receives the digest with it.
  if (object.range) {
    const body = tap(continuedBody(store, object, options.signal), { onFailure: options.onBodyFailure })
    return { ...version, range: object.range, body }
  }
  const mismatch: OnMismatch = (found) => {
    onIntegrityViolation(ref, found)
    return integrityViolated()
  }
  if (isWhole(object)) {
    const { body, isVouched } = object
    // Small bytes are verified before the answer begins, so that damage is a proper error.
    if (!isVouched) requireDigest(body, ref.digest, mismatch)
    return { ...version, range: null, body }
  }
  const { passedOn } = object
  if (passedOn) return { ...version, range: null, body: object.body, passedOn }
  const source = continuedBody(store, object, signal)
  const body = verified(source, { digest: ref.digest, size: object.size }, mismatch, options.onBodyFailure)
  return { ...version, range: null, body }
}

function requireDigest(bytes: Uint8Array, expected: Digest, mismatch: OnMismatch): void {
  const digest = digestOfHex(Bun.SHA256.hash(bytes, 'hex'))
  if (digest !== expected) throw mismatch({ digest, size: bytes.length })
}

async function getOrRefuseRange(
  store: ObjectStore,
  ref: VersionRef,
  { range, signal }: { range: ByteRange; signal: AbortSignal | undefined },
): Promise<ObjectBody | null> {
  const key = versionKey(ref)
  try {
    return await store.get(key, { range, signal })
  } catch (error) {
    if (!(error instanceof ObjectStoreError) || error.code !== 'range_unsatisfiable') throw error
    const size = (await store.head(key, { signal }))?.size
    if (size === undefined) throw versionNotFound()
    throw new DocumentError(
      'range_unsatisfiable',
      `The document has ${size} bytes; the range is outside of them.`,
      { size },
    )
  }
}

function integrityViolated(): DocumentError {
  return new DocumentError(
    'integrity_violated',
    'The stored bytes do not hash to their digest, so they are not served. Upload the document again under another name and tell the operator.',
  )
}
