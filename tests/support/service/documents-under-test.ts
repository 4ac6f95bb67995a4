import { createDocuments } from '../../../service/documents/create-documents.ts'
import type { Documents, Upload } from '../../../service/documents/documents.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import type { TransferSigner } from '../../../service/object-store/transfer-signer.ts'
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

/** A store in memory has no address to sign. */
const noSigner: TransferSigner = {
  postForm: () => Promise.reject(new Error('nothing to sign for')),
  put: () => Promise.reject(new Error('nothing to sign for')),
  get: () => Promise.reject(new Error('nothing to sign for')),
}

/** Creates the domain on a store in memory; `decorate` may wrap that store. */
export function documentsInMemory(
  options: {
    decorate?: (store: ObjectStore) => ObjectStore
    documentBytesMax?: number
    uploadIdleSecondsMax?: number
    now?: () => Date
  } = {},
): DocumentsUnderTest {
  const store = createMemoryObjectStore(options.now ? { now: options.now } : {})
  const violations: DocumentsUnderTest['violations'] = []
  const { documents } = createDocuments({
    store: options.decorate?.(store) ?? store,
    documentBytesMax: options.documentBytesMax ?? 64 * MiB,
    uploadIdleSecondsMax: options.uploadIdleSecondsMax,
    cursorKey: new Uint8Array(32),
    ticketKey: new Uint8Array(32),
    capabilities: () => minioCapabilities,
    signer: noSigner,
    onIntegrityViolation: (violated, found) => violations.push({ ref: violated, found }),
  })
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

export const latestKey = 'tenants/acme/tags/snapshots/orders.bin/latest'

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

/** Returns every key in the store; at most 1000. */
export async function keysIn(store: ObjectStore): Promise<string[]> {
  return (await store.list({ prefix: '', limit: 1000 })).objects.map(({ key }) => key)
}
