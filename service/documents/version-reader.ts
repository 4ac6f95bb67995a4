import { limits } from '../limits.ts'
import { type ObjectBody, type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'
import type { ByteRange } from '../wire/byte-range.ts'
import type { Digest, VersionRef } from '../wire/names.ts'
import { DocumentError } from './document-error.ts'
import { digestOfHex, versionKey } from './document-key.ts'
import type { OpenOptions, OpenVersion } from './documents.ts'
import { unverified, verified } from './verified-stream.ts'
import { toStoredVersion } from './version-index.ts'

/** Told of every read whose bytes did not hash to their digest: the gravest thing that can happen here. */
export type OnIntegrityViolation = (ref: VersionRef, found: { digest: Digest; size: number }) => void

/** @throws {DocumentError} as {@link Documents.open} says; `integrity_violated` for a small damaged version. */
export async function openVersion(
  store: ObjectStore,
  ref: VersionRef,
  options: OpenOptions,
  onIntegrityViolation: OnIntegrityViolation,
): Promise<OpenVersion> {
  const object = await getOrRefuseRange(store, ref, options)
  if (!object) throw versionNotFound()
  const version = toStoredVersion(ref, object)
  // A part of the bytes cannot be hashed against the whole's digest: the client gets it along.
  if (object.range) {
    return { ...version, range: object.range, body: unverified(object.body, options.onBodyFailure) }
  }
  const mismatch = (found: { digest: Digest; size: number }) => {
    onIntegrityViolation(ref, found)
    return integrityViolated()
  }
  const expected = { digest: ref.digest, size: object.size }
  const body =
    object.size <= limits.wholeReadBytesMax
      ? await readWhole(object, expected, mismatch)
      : verified(object.body, expected, mismatch, options.onBodyFailure)
  return { ...version, range: null, body }
}

/** Small bytes are verified before the answer begins, so that damage is a proper error. */
async function readWhole(
  object: ObjectBody,
  expected: { digest: Digest; size: number },
  mismatch: (found: { digest: Digest; size: number }) => Error,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(await new Response(object.body).arrayBuffer())
  const digest = digestOfHex(Bun.SHA256.hash(bytes, 'hex'))
  const found = { digest, size: bytes.byteLength }
  if (found.digest !== expected.digest || found.size !== expected.size) throw mismatch(found)
  return bytes
}

async function getOrRefuseRange(
  store: ObjectStore,
  ref: VersionRef,
  { range, signal }: { range?: ByteRange | undefined; signal?: AbortSignal | undefined },
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
      `The document has ${size} bytes; the range lies outside.`,
      { size },
    )
  }
}

export function versionNotFound(): DocumentError {
  return new DocumentError('document_not_found', 'There is no such document.')
}

function integrityViolated(): DocumentError {
  return new DocumentError(
    'integrity_violated',
    'The stored bytes do not hash to their digest, so they are not given out. Upload the document again under another name and tell the operator.',
  )
}
