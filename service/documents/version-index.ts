import { eachObject } from '../object-store/each-object.ts'
import type { ListedObject, ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import { parseVersionKey, versionKey, versionsPrefix } from './document-key.ts'
import type { Digest, DocumentRef, VersionRef } from './document-ref.ts'
import type { ListedVersion, StoredVersion } from './documents.ts'

/** Names of the user metadata that every version carries. */
const createdAtName = 'created-at'
const createdByName = 'created-by'
const traceIdName = 'trace-id'

/** User metadata is printable ASCII on the wire, a subject need not be. */
export function versionMetadata(written: { createdAt: Date; createdBy: string; traceId: string }) {
  return {
    [createdAtName]: written.createdAt.toISOString(),
    [createdByName]: encodeURIComponent(written.createdBy),
    [traceIdName]: written.traceId,
  }
}

export function toStoredVersion(ref: VersionRef, info: ObjectInfo): StoredVersion {
  const { tenant, type, name, digest } = ref
  return {
    tenant,
    type,
    name,
    digest,
    size: info.size,
    contentType: info.contentType,
    createdAt: info.metadata[createdAtName] ?? info.lastModified.toISOString(),
    createdBy: decodeSubject(info.metadata[createdByName] ?? ''),
  }
}

function decodeSubject(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

/** @returns `null` for a key under the versions' prefix that is not a version's, such as a stray upload. */
export function toListedVersion(object: ListedObject): ListedVersion | null {
  const ref = parseVersionKey(object.key)
  return ref && { ...ref, size: object.size, storedAt: object.lastModified.toISOString() }
}

/** Every version of a document in the store's order, a thousand per call. */
export async function* eachVersion(
  store: ObjectStore,
  ref: DocumentRef,
  signal?: AbortSignal,
): AsyncGenerator<ListedVersion> {
  for await (const object of eachObject(store, versionsPrefix(ref), { signal })) {
    const version = toListedVersion(object)
    if (version) yield version
  }
}

/** Newest first; of the same time, the higher digest first, so that the order is total. */
export function compareNewestFirst(a: ListedVersion, b: ListedVersion): number {
  if (a.storedAt !== b.storedAt) return a.storedAt < b.storedAt ? 1 : -1
  return a.digest < b.digest ? 1 : a.digest > b.digest ? -1 : 0
}

export async function newestVersion(
  store: ObjectStore,
  ref: DocumentRef,
  without?: Digest,
): Promise<ListedVersion | null> {
  let newest: ListedVersion | null = null
  for await (const version of eachVersion(store, ref)) {
    if (version.digest === without) continue
    if (!newest || compareNewestFirst(version, newest) < 0) newest = version
  }
  return newest
}

export async function versionExists(store: ObjectStore, ref: DocumentRef, digest: Digest): Promise<boolean> {
  return (await store.head(versionKey({ ...ref, digest }))) !== null
}
