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
import {
  digestOf,
  KiB,
  keysIn,
  ref,
  uploadOf,
  versionOf,
} from '../../../support/service/documents-under-test.ts'
import { minioCapabilities } from '../../../support/stores/known-capabilities.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const bytes = new Uint8Array(KiB).fill(7)

/** Writes down what it is asked to sign, and signs nothing. */
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
  options: { decorate?: (store: ObjectStore) => ObjectStore; completionWaitSecondsMax?: number } = {},
) {
  const memory = createMemoryObjectStore()
  const { signer, asked } = notingSigner()
  const domain = createDocuments({
    store: options.decorate?.(memory) ?? memory,
    documentBytesMax: 64 * KiB,
    completionWaitSecondsMax: options.completionWaitSecondsMax,
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

/** Where what was staged lies, and what completes it. */
async function staged(domain: ReturnType<typeof domainWith>, of = bytes) {
  const created = await domain.transfers.createUpload(ref, requestFor(of))
  if (!('ticket' in created)) throw new Error('there is nothing to upload')
  const { id, ticket } = created.ticket
  await domain.store.put(`staging/acme/${id}`, of, { size: of.length, contentType: 'text/plain' })
  return { id, completion: { ticket, by: 'alice', traceId: '0'.repeat(32) } }
}

describe('the method of tickets', () => {
  it('is what was found out to be safe on this store', async () => {
    const methodOn = async (ticketMethod: 'POST' | 'PUT') => {
      const { transfers } = domainWith({ ...minioCapabilities, ticketMethod })
      const created = await transfers.createUpload(ref, requestFor(bytes))
      return 'ticket' in created ? created.ticket : null
    }
    expect(await methodOn('POST')).toMatchObject({ method: 'POST', fields: {} })
    expect(await methodOn('PUT')).toMatchObject({ method: 'PUT', headers: {} })
  })

  it('is none where nothing is safe, and not known before the store was asked: PUT is named instead', async () => {
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

  it('does not matter where the bytes are published already', async () => {
    const domain = domainWith(nothingKnown)
    await domain.documents.put(versionOf(bytes), uploadOf(bytes))
    const created = await domain.transfers.createUpload(ref, requestFor(bytes))
    expect(created).toMatchObject({ published: { digest: digestOf(bytes), tags: ['latest'] } })
    expect(domain.asked).toEqual([])
  })
})

describe('what is signed for an upload', () => {
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

  it('is nothing for more bytes than a document may have', async () => {
    const { transfers, asked } = domainWith(minioCapabilities)
    const over = { size: 64 * KiB + 1 }
    expect(transfers.createUpload(ref, requestFor(bytes, over))).rejects.toMatchObject({
      code: 'document_too_large',
    })
    await transfers.createUpload(ref, requestFor(bytes, { size: 64 * KiB }))
    expect(asked).toHaveLength(1)
  })
})

describe('what is signed for a download', () => {
  it('is one version, as an attachment of its name', async () => {
    const { documents, transfers, asked } = domainWith(minioCapabilities)
    await documents.put(versionOf(bytes), uploadOf(bytes))
    await transfers.createDownload(versionOf(bytes), { expiresInSeconds: 60 })
    expect(asked).toEqual([
      {
        key: `tenants/acme/documents/snapshots/orders.bin/${digestOf(bytes).slice('sha256:'.length)}`,
        contentDisposition: 'attachment; filename="orders.bin"',
        expiresInSeconds: 60,
      },
    ])
  })

  it('is nothing that is not there', async () => {
    const { transfers, asked } = domainWith(minioCapabilities)
    expect(transfers.createDownload(versionOf(bytes), {})).rejects.toMatchObject({
      code: 'document_not_found',
    })
    await Bun.sleep(0)
    expect(asked).toEqual([])
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

  it('that failed half-way is repaired by its repetition', async () => {
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

  it('beside a delete of its version leaves no latest that points to nothing', async () => {
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
    expect(again).rejects.toMatchObject({ code: 'upload_not_found' })
    await again.catch(() => {})
  })

  it('waits as long as it may for the store, then says that it goes on', async () => {
    const open = Promise.withResolvers<void>()
    const decorate = (store: ObjectStore): ObjectStore => ({
      ...store,
      async copy(from, to, options) {
        await open.promise
        return store.copy(from, to, options)
      },
    })
    const domain = domainWith(minioCapabilities, { decorate, completionWaitSecondsMax: 0.01 })
    const { id, completion } = await staged(domain)
    const complete = () => domain.transfers.completeUpload(ref, id, completion)
    expect(await complete()).toBeNull()
    open.resolve()
    let done = await complete()
    while (done === null) done = await complete()
    expect(done).toMatchObject({ created: true })
  })
})
