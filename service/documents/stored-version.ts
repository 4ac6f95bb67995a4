import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import type { StoredVersion } from '../wire/answers.ts'
import { isMediaType, unknownMediaType } from '../wire/media-type.ts'
import type { VersionRef } from '../wire/names.ts'
import { digestHex, versionKey } from './document-key.ts'
import type { Damaged } from './stored-damage.ts'

/** What is written with the bytes of a version, and the signal of the call that writes it. */
export interface VersionFacts {
  /** Bytes, exactly. */
  size: number
  contentType: string
  /** Subject of the uploader. */
  by: string
  admittedAt: Date
  traceId: string
  signal: AbortSignal
}

/** Names of the user metadata that every version carries. */
const createdAtName = 'created-at'
const createdByName = 'created-by'
const traceIdName = 'trace-id'

/** Returns the user metadata of a version. It is printable ASCII on the wire, which a subject need not be. */
export function versionMetadata({
  admittedAt,
  by,
  traceId,
}: Pick<VersionFacts, 'admittedAt' | 'by' | 'traceId'>): Record<string, string> {
  return {
    [createdAtName]: admittedAt.toISOString(),
    [createdByName]: encodeURIComponent(by),
    [traceIdName]: traceId,
  }
}

/**
 * Returns the version that an object keeps, by its metadata. What another program has left out, or written in its own
 * way, is answered as the API answers it: by the store's time, and as bytes of no known type.
 */
export function toStoredVersion(ref: VersionRef, info: ObjectInfo): StoredVersion {
  const { tenant, type, name, digest } = ref
  return {
    tenant,
    type,
    name,
    digest,
    size: info.size,
    contentType: isMediaType(info.contentType) ? info.contentType : unknownMediaType,
    createdAt: timeOf(info.metadata[createdAtName]) ?? info.lastModified.toISOString(),
    createdBy: decodeSubject(info.metadata[createdByName] ?? ''),
  }
}

/** RFC 3339 section 5.6 */
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

function timeOf(text = ''): string | undefined {
  const time = new Date(timeForm.test(text) ? text : Number.NaN)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString()
}

function decodeSubject(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

/** The bytes of a version on their way to its key. */
export interface VersionBytes {
  body: Uint8Array | ReadableStream<Uint8Array>
  facts: VersionFacts
  /** A damaged object that the bytes replace; its metadata, the first writer's, stay. */
  over?: Damaged | undefined
}

/**
 * Writes the bytes of a version under its final key, unless it exists: the first writer wins. A stream that errs
 * publishes nothing, even if it errs after its last byte.
 *
 * @returns false if the version exists, or the damaged object is no longer there.
 */
export async function putVersion(
  store: ObjectStore,
  ref: VersionRef,
  { body, facts, over }: VersionBytes,
): Promise<boolean> {
  const { size, signal } = facts
  const { contentType, metadata } = over ?? { ...facts, metadata: versionMetadata(facts) }
  const condition = over ? { etag: over.etag } : ({ absent: true } as const)
  const sha256 = digestHex(ref.digest)
  const stored = await store.put(versionKey(ref), body, {
    ...{ size, contentType, metadata, sha256, condition, signal },
  })
  return stored !== null
}
