import { describe, expect, it } from 'bun:test'
import { createDocuments } from '../../../../service/documents/create-documents.ts'
import type { UploadRequest } from '../../../../service/documents/transfers.ts'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import { nothingKnown, type StoreCapabilities } from '../../../../service/object-store/store-capabilities.ts'
import type {
  SignedDownload,
  SignedUpload,
  TransferSigner,
} from '../../../../service/object-store/transfer-signer.ts'
import { KiB, keysIn, ref, uploadOf, versionOf } from '../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { minioCapabilities } from '../../../support/stores/known-capabilities.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const bytes = new Uint8Array(KiB).fill(7)

/** Records what it should sign, and signs nothing. */
function notingSigner() {
  const asked: (SignedUpload | SignedDownload)[] = []
  const signer: TransferSigner = {
    async postForm(upload) {
      asked.push(upload)
      return { url: 'https://store.test/', fields: { key: upload.key } }
    },
    async put(upload) {
      asked.push(upload)
      return { url: `https://store.test/${upload.key}`, headers: {} }
    },
    async get(download) {
      asked.push(download)
      return `https://store.test/${download.key}`
    },
  }
  return { signer, asked }
}

function domainWith(
  capabilities: StoreCapabilities,
  options: { decorate?: (store: ObjectStore) => ObjectStore } = {},
) {
  const memory = createMemoryObjectStore()
  const { signer, asked } = notingSigner()
  const domain = createDocuments({
    store: options.decorate?.(memory) ?? memory,
    documentBytesMax: 64 * KiB,
    cursorKey: new Uint8Array(32),
    ticketKey: new Uint8Array(32).fill(1),
    capabilities: () => capabilities,
    signer,
    onIntegrityViolation() {},
  })
  return { ...domain, store: memory, asked }
}

function requestFor(of: Uint8Array, over: Partial<UploadRequest> = {}): UploadRequest {
  return {
    digest: digestOf(of),
    size: of.length,
    contentType: 'text/plain',
    by: 'alice',
    admittedAt: new Date(),
    ...over,
  }
}

/** Stages bytes and returns what completes them. */
async function staged(domain: ReturnType<typeof domainWith>, of = bytes) {
  const created = await domain.transfers.createUpload(ref, requestFor(of))
  if (!('ticket' in created)) throw new Error('there is nothing to upload')
  const { id, ticket } = created.ticket
  await domain.store.put(`staging/acme/${id}`, of, { size: of.length, contentType: 'text/plain' })
  return { id, completion: { ticket, by: 'alice', traceId: '0'.repeat(32) } }
}

describe('the method of tickets', () => {
  it('is none if none is safe or the store has not been probed: the refusal names PUT instead', async () => {
    const refusal = (capabilities: StoreCapabilities) =>
      domainWith(capabilities)
        .transfers.createUpload(ref, requestFor(bytes))
        .catch((error) => error)
    expect(await refusal({ ...minioCapabilities, ticketMethod: 'none' })).toMatchObject({
      code: 'tickets_unavailable',
      message: expect.stringContaining('PUT'),
    })
    expect(await refusal(nothingKnown)).toMatchObject({
      code: 'store_unknown',
      message: expect.stringContaining('PUT'),
    })
  })

  it('does not matter if the bytes are published already', async () => {
    const domain = domainWith(nothingKnown)
    await domain.documents.put(versionOf(bytes), uploadOf(bytes))
    const created = await domain.transfers.createUpload(ref, requestFor(bytes))
    expect(created).toMatchObject({ published: { digest: digestOf(bytes), tags: ['latest'] } })
    expect(domain.asked).toEqual([])
  })
})

describe('the signed part of an upload ticket', () => {
  it('is exactly these bytes, into staging, for a quarter of an hour', async () => {
    const { transfers, asked } = domainWith(minioCapabilities)
    const created = await transfers.createUpload(ref, requestFor(bytes))
    const id = 'ticket' in created ? created.ticket.id : ''
    expect(asked).toEqual([
      {
        key: `staging/acme/${id}`,
        size: KiB,
        contentType: 'text/plain',
        sha256: digestOf(bytes).slice('sha256:'.length),
        expiresInSeconds: 900,
      },
    ])
  })

  it('has an id of its own each time', async () => {
    const { transfers, asked } = domainWith(minioCapabilities)
    for (let each = 0; each < 100; each += 1) await transfers.createUpload(ref, requestFor(bytes))
    expect(new Set(asked.map(({ key }) => key)).size).toBe(100)
  })

  it('is refused for more bytes than a document may have', async () => {
    const { transfers, asked } = domainWith(minioCapabilities)
    const over = { size: 64 * KiB + 1 }
    await expect(transfers.createUpload(ref, requestFor(bytes, over))).rejects.toMatchObject({
      code: 'document_too_large',
    })
    await transfers.createUpload(ref, requestFor(bytes, { size: 64 * KiB }))
    expect(asked).toHaveLength(1)
  })
})

describe('a completion', () => {
  /** A store whose next delete of staged bytes fails, as when it goes away in between. */
  function failingOnce() {
    const fault = { left: 1 }
    const decorate = (store: ObjectStore): ObjectStore => ({
      ...store,
      async delete(key, options) {
        if (key.startsWith('staging/') && fault.left > 0) {
          fault.left -= 1
          throw new Error('the store went away')
        }
        return store.delete(key, options)
      },
    })
    return decorate
  }

  it('repairs what an earlier one that failed half-way left', async () => {
    const domain = domainWith(minioCapabilities, { decorate: failingOnce() })
    const { id, completion } = await staged(domain)
    const complete = () => domain.transfers.completeUpload(ref, id, completion)
    await complete().then(
      () => expect.unreachable(),
      (error) => expect(error.message).toBe('the store went away'),
    )
    expect(await complete()).toMatchObject({ created: false, document: { tags: ['latest'] } })
    expect((await keysIn(domain.store)).filter((key) => key.startsWith('staging/'))).toEqual([])
  })

  it('leaves no dangling latest if its version is deleted at the same time', async () => {
    const reached = Promise.withResolvers<void>()
    const open = Promise.withResolvers<void>()
    const decorate = (store: ObjectStore): ObjectStore => ({
      ...store,
      async delete(key, options) {
        if (key.startsWith('staging/')) {
          // The version is there, latest has not moved yet.
          reached.resolve()
          await open.promise
        }
        return store.delete(key, options)
      },
    })
    const domain = domainWith(minioCapabilities, { decorate })
    const { id, completion } = await staged(domain)
    const completing = domain.transfers.completeUpload(ref, id, completion)
    await reached.promise
    await domain.documents.deleteVersion(versionOf(bytes), { by: 'admin' })
    open.resolve()
    await completing.then(
      () => expect.unreachable(),
      (error) => expect(error).toMatchObject({ code: 'conflict' }),
    )
    expect(await keysIn(domain.store)).toEqual([])
    const again = domain.transfers.completeUpload(ref, id, completion)
    await expect(again).rejects.toMatchObject({ code: 'upload_not_found' })
    await again.catch(() => {})
  })
})
