import { createDocuments } from '../../../service/documents/create-documents.ts'
import type { Documents, Upload } from '../../../service/documents/documents.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import type { TransferSigner } from '../../../service/object-store/transfer-signer.ts'
import type { Digest, VersionRef } from '../../../service/wire/names.ts'
import { minioCapabilities } from '../stores/known-capabilities.ts'
import { createMemoryObjectStore } from '../stores/memory-object-store.ts'

export const KiB = 1024
export const MiB = 1024 * KiB

/** One document of one tenant, which most tests are about. */
export const ref = { tenant: 'acme', type: 'snapshots', name: 'orders.bin' }

export interface DocumentsUnderTest {
  documents: Documents
  store: ObjectStore
  /** What was read and did not hash to its digest. */
  violations: { ref: VersionRef; found: { digest: Digest; size: number } }[]
}

/** A store in memory has no address that could be signed. */
const noSigner: TransferSigner = {
  postForm: () => Promise.reject(new Error('nothing to sign for')),
  put: () => Promise.reject(new Error('nothing to sign for')),
  get: () => Promise.reject(new Error('nothing to sign for')),
}

/** The domain on a store in memory; `decorate` puts something between the two. */
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

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${Bun.SHA256.hash(bytes, 'hex')}`
}

export function versionOf(bytes: Uint8Array): VersionRef {
  return { ...ref, digest: digestOf(bytes) }
}

export function keyOf(bytes: Uint8Array): string {
  return `tenants/acme/documents/snapshots/orders.bin/${Bun.SHA256.hash(bytes, 'hex')}`
}

export const latestKey = 'tenants/acme/tags/snapshots/orders.bin/latest'

/** An upload of these bytes, admitted now, that declares nothing, but for what `declared` says. */
export function uploadOf(bytes: Uint8Array, declared: Partial<Upload> = {}): Upload {
  return {
    body: streamOf(bytes),
    contentType: 'application/x-test',
    by: 'alice',
    admittedAt: new Date(),
    traceId: '0af7651916cd43dd8448eb211c80319c',
    signal: new AbortController().signal,
    ...declared,
  }
}

/** In chunks as a socket gives them. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at >= bytes.length) return controller.close()
        controller.enqueue(bytes.slice(at, at + 64 * KiB))
        at += 64 * KiB
      },
    },
    { highWaterMark: 0 },
  )
}

/** Every key in the store. */
export async function keysIn(store: ObjectStore): Promise<string[]> {
  return (await store.list({ prefix: '', limit: 1000 })).objects.map(({ key }) => key)
}
