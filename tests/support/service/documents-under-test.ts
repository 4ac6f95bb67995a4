import {
  createDocuments,
  type Domain,
  type DomainOptions,
} from '../../../service/documents/create-documents.ts'
import { parseTagRowKey } from '../../../service/documents/document-key.ts'
import type { Documents, Upload } from '../../../service/documents/documents.ts'
import type { UploadRequest } from '../../../service/documents/transfers.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import type {
  SignedDownload,
  SignedUpload,
  TransferSigner,
} from '../../../service/object-store/transfer-signer.ts'
import type { Digest, VersionRef } from '../../../service/wire/names.ts'
import { inChunks } from '../stores/bodies.ts'
import { minioCapabilities } from '../stores/known-capabilities.ts'
import { createMemoryObjectStore } from '../stores/memory-object-store.ts'
import { digestOf, KiB, MiB } from './sample-documents.ts'

export { KiB, MiB }

/** The document that most tests are about. */
export const ref = { tenant: 'acme', type: 'snapshots', name: 'orders.bin' }

export interface DocumentsUnderTest {
  documents: Documents
  store: ObjectStore
  /** Versions that were read and did not match their digest. */
  violations: { ref: VersionRef; found: { digest: Digest; size: number } }[]
}

/** A replica of the service's domain. */
export interface Replica extends Domain {
  /** What was signed: nothing is, in fact, as a store in memory has no address. */
  signed: (SignedUpload | SignedDownload)[]
  /** Versions that were read and did not match their digest. */
  violations: DocumentsUnderTest['violations']
  /** Versions whose damaged bytes were replaced. */
  repaired: VersionRef[]
}

/** Creates one of the replicas on a store in memory; what they decide together, they decide by that store. */
export function replicaOn(store: ObjectStore, options: Partial<DomainOptions> = {}): Replica {
  const signed: Replica['signed'] = []
  const violations: Replica['violations'] = []
  const repaired: VersionRef[] = []
  const signer: TransferSigner = {
    async postForm(upload) {
      signed.push(upload)
      return { url: 'https://store.test/', fields: { key: upload.key } }
    },
    async put(upload) {
      signed.push(upload)
      return { url: `https://store.test/${upload.key}`, headers: {} }
    },
    async get(download) {
      signed.push(download)
      return `https://store.test/${download.key}`
    },
  }
  const domain = createDocuments({
    store,
    documentBytesMax: 64 * MiB,
    cursorKeys: [new Uint8Array(32)],
    ticketKeys: [new Uint8Array(32).fill(1)],
    archiveLinkKeys: [new Uint8Array(32).fill(2)],
    capabilities: () => minioCapabilities,
    signer,
    onIntegrityViolation: (violated, found) => violations.push({ ref: violated, found }),
    onRepaired: (version) => repaired.push(version),
    ...options,
  })
  return { ...domain, signed, violations, repaired }
}

/** Creates the domain on a store in memory; `decorate` may wrap that store. */
export function documentsInMemory(
  options: Partial<DomainOptions> & { decorate?: (store: ObjectStore) => ObjectStore; now?: () => Date } = {},
): DocumentsUnderTest {
  const { decorate, now, ...replica } = options
  const store = createMemoryObjectStore(now ? { now } : {})
  const { documents, violations } = replicaOn(decorate?.(store) ?? store, replica)
  return { documents, store, violations }
}

/** Returns the version of {@link ref} with these bytes. */
export function versionOf(bytes: Uint8Array): VersionRef {
  return { ...ref, digest: digestOf(bytes) }
}

/** Returns the key of the version of {@link ref} with these bytes, spelled out. */
export function keyOf(bytes: Uint8Array): string {
  return `tenants/acme/documents/snapshots/orders.bin/${Bun.SHA256.hash(bytes, 'hex')}`
}

/** The key of the record of {@link ref}, spelled out. */
export const recordKey = 'tenants/acme/records/snapshots/orders.bin'

/** Returns the key that says that a deletion of the version of {@link ref} with these bytes may be under way, spelled out. */
export function deletionKey(bytes: Uint8Array): string {
  return `deletions/acme/snapshots/orders.bin/${Bun.SHA256.hash(bytes, 'hex')}`
}

/** Returns an upload of these bytes, admitted now, that declares nothing except what `declared` says. */
export function uploadOf(bytes: Uint8Array, declared: Partial<Upload> = {}): Upload {
  return {
    body: inChunks(bytes),
    contentType: 'application/x-test',
    by: 'alice',
    admittedAt: new Date(),
    traceId: '0af7651916cd43dd8448eb211c80319c',
    signal: new AbortController().signal,
    ...declared,
  }
}

/** Returns a request for a ticket to upload these bytes. */
export function ticketRequestFor(bytes: Uint8Array, over: Partial<UploadRequest> = {}): UploadRequest {
  return {
    digest: digestOf(bytes),
    size: bytes.length,
    contentType: 'text/plain',
    by: 'alice',
    admittedAt: new Date(),
    traceId: '0af7651916cd43dd8448eb211c80319c',
    ...over,
  }
}

/** Returns every key in the store; at most 1000. */
export async function keysIn(store: ObjectStore): Promise<string[]> {
  return (await store.list({ prefix: '', limit: 1000 })).objects.map(({ key }) => key)
}

/** Returns the keys of a store but those of the index of tags, which each store names in its own way. */
export async function keysWithoutIndex(store: ObjectStore): Promise<string[]> {
  return (await keysIn(store)).filter((key) => parseTagRowKey(key) === null)
}
