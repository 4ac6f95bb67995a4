import { DocumentRecord, emptyRecord, type TagEntry } from '../../../service/documents/document-record.ts'
import { storedJson } from '../../../service/documents/stored-json.ts'
import { limits } from '../../../service/limits.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import type { Digest } from '../../../service/wire/names.ts'
import { digestOf } from './sample-documents.ts'

/** Documents as the service leaves them in a store, written by tests: all are of `acme` and of the type `audits`. */

const ofAudits = (name: string) => ({ tenant: 'acme', type: 'audits', name })

/** Returns the version of a document of {@link ofAudits} with these bytes. */
export function auditVersion(name: string, bytes: Uint8Array | string) {
  return { ...ofAudits(name), digest: digestOf(Buffer.from(bytes)) }
}

/** When the samples were uploaded; `minute(1)` and so on is later. */
export const minute = (at: number) => new Date(Date.UTC(2026, 10, 1, 12) + at * 60_000).toISOString()

/** Returns the user metadata of a version that was uploaded then. */
export function factsOf(createdAt = minute(0)) {
  return { 'created-at': createdAt, 'created-by': 'alice', 'trace-id': 'ab'.repeat(16) }
}

export interface StoredOptions {
  /** Other bytes than those that its digest names. */
  instead?: Uint8Array
  createdAt?: string
}

/** Stores a version. @returns its key */
export async function storeVersion(
  store: ObjectStore,
  name: string,
  content: Uint8Array | string,
  { instead, createdAt }: StoredOptions = {},
): Promise<string> {
  const bytes = instead ?? Buffer.from(content)
  const key = versionKeyOf(name, content)
  const metadata = factsOf(createdAt)
  await store.put(key, bytes, { size: bytes.length, contentType: 'text/x-audit', metadata })
  return key
}

/** Returns the key of a version, spelled out. */
export function versionKeyOf(name: string, content: Uint8Array | string): string {
  return `tenants/acme/documents/audits/${name}/${digestOf(Buffer.from(content)).slice('sha256:'.length)}`
}

/** Returns the key of the record of a document, spelled out. */
export function recordKeyOf(name: string): string {
  return `tenants/acme/records/audits/${name}`
}

/** Returns the entry of a tag on the version with these bytes. */
export function entry(content: Uint8Array | string, movedAt = minute(0), movedBy = 'alice'): TagEntry {
  const digest = digestOf(Buffer.from(content))
  return { digest, movedAt, movedBy, id: Bun.SHA256.hash(`${digest} ${movedAt}`, 'hex').slice(0, 32) }
}

/** Returns the deletion of the version with these bytes. */
export function deletion(content: Uint8Array | string, at: string) {
  return {
    digest: digestOf(Buffer.from(content)),
    at,
    by: 'alice',
    id: Bun.SHA256.hash(at, 'hex').slice(0, 32),
  }
}

/** Stores the record of a document as it is, whatever was there. */
export async function storeRecord(
  store: ObjectStore,
  name: string,
  record: Partial<DocumentRecord>,
): Promise<void> {
  const latest = record.tags?.latest?.digest
  const order: Digest[] = latest ? [latest] : []
  const bytes = Buffer.from(JSON.stringify({ ...emptyRecord, revision: 1, order, ...record }))
  await store.put(recordKeyOf(name), bytes, { size: bytes.length, contentType: 'application/json' })
}

/** Returns the record of a document, `null` if there is none. */
export async function recordIn(store: ObjectStore, name: string): Promise<DocumentRecord | null> {
  const object = await store.getWhole(recordKeyOf(name), { bytesMax: limits.recordBytesMax })
  return object && object !== 'unchanged' ? storedJson(DocumentRecord, object) : null
}

/** Returns the tags of a record without their rows in the index, which are each store's own. */
export async function tagsIn(store: ObjectStore, name: string): Promise<DocumentRecord['tags'] | undefined> {
  const record = await recordIn(store, name)
  if (!record) return undefined
  return Object.fromEntries(Object.entries(record.tags).map(([tag, { row: _, ...entry }]) => [tag, entry]))
}

/** Stores a tag as the layout before records did. @returns its key */
export async function storeOldTag(
  store: ObjectStore,
  name: string,
  tag: string,
  { digest, movedAt, movedBy }: Omit<TagEntry, 'id'>,
): Promise<string> {
  const bytes = Buffer.from(JSON.stringify({ digest, movedAt, movedBy, admittedAt: movedAt }))
  const key = `tenants/acme/tags/audits/${name}/${tag}`
  await store.put(key, bytes, { size: bytes.length, contentType: 'application/json' })
  return key
}
