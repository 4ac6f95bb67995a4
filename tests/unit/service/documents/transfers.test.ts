import { describe, expect, it } from 'bun:test'
import { nothingKnown, type StoreCapabilities } from '../../../../service/object-store/store-capabilities.ts'
import {
  KiB,
  ref,
  replicaOn,
  ticketRequestFor,
  uploadOf,
  versionOf,
} from '../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { minioCapabilities } from '../../../support/stores/known-capabilities.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const bytes = new Uint8Array(KiB).fill(7)

function domainWith(capabilities: StoreCapabilities) {
  const options = { capabilities: () => capabilities, documentBytesMax: 64 * KiB }
  return replicaOn(createMemoryObjectStore(), options)
}

describe('the method of tickets', () => {
  it('is none if none is safe or the store has not been probed: the refusal names PUT instead', async () => {
    const refusal = (capabilities: StoreCapabilities) =>
      domainWith(capabilities)
        .transfers.createUpload(ref, ticketRequestFor(bytes))
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
    const created = await domain.transfers.createUpload(ref, ticketRequestFor(bytes))
    expect(created).toMatchObject({ published: { digest: digestOf(bytes), tags: ['latest'] } })
    expect(domain.signed).toEqual([])
  })
})

describe('the signed part of an upload ticket', () => {
  it('is exactly these bytes, into staging, for a quarter of an hour', async () => {
    const { transfers, signed } = domainWith(minioCapabilities)
    const created = await transfers.createUpload(ref, ticketRequestFor(bytes))
    const id = 'ticket' in created ? created.ticket.id : ''
    expect(signed).toEqual([
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
    const { transfers, signed } = domainWith(minioCapabilities)
    for (let each = 0; each < 100; each += 1) await transfers.createUpload(ref, ticketRequestFor(bytes))
    expect(new Set(signed.map(({ key }) => key)).size).toBe(100)
  })

  it('is refused for more bytes than a document may have', async () => {
    const { transfers, signed } = domainWith(minioCapabilities)
    const over = { size: 64 * KiB + 1 }
    await expect(transfers.createUpload(ref, ticketRequestFor(bytes, over))).rejects.toMatchObject({
      code: 'document_too_large',
    })
    await transfers.createUpload(ref, ticketRequestFor(bytes, { size: 64 * KiB }))
    expect(signed).toHaveLength(1)
  })
})
