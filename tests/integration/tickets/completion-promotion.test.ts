import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { createS3TransferSigner } from '../../../service/object-store/s3/s3-transfer-signer.ts'
import { refusalOf } from '../../support/service/caller.ts'
import { digestOf, KiB, keyOf, randomDocument, storedUnder } from '../../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../../support/service/service-for-tests.ts'
import { contentType, ticketCalls } from '../../support/service/ticket-calls.ts'
import { sendTicket, type Ticket } from '../../support/service/ticket-upload.ts'
import { minioCapabilities } from '../../support/stores/known-capabilities.ts'

setDefaultTimeout(600_000)

/** A service whose store can be interfered with. */
interface Watched {
  service: InProcessService
  /** Versions that were copied inside the store. */
  copied: string[]
  /** Runs once, before the next call of this kind. */
  before: Partial<Record<'copy' | 'read' | 'write', () => Promise<unknown>>>
}

const copying = await watched({ digestEnforced: true, copyOnce: true })
const unpinned = await watched({ digestEnforced: true, copyOnce: false }, copying.service)
const unenforced = await watched({ digestEnforced: false, copyOnce: true }, copying.service)
const neither = await watched({ digestEnforced: false, copyOnce: false }, copying.service)

afterAll(async () => {
  for (const { service } of [neither, unenforced, unpinned, copying]) await service.stop()
})

async function watched(
  known: { digestEnforced: boolean; copyOnce: boolean },
  replicaOf?: InProcessService,
): Promise<Watched> {
  const copied: string[] = []
  const before: Watched['before'] = {}
  const interfere = async (call: keyof Watched['before']) => {
    const first = before[call]
    delete before[call]
    await first?.()
  }
  const decorate = (store: ObjectStore): ObjectStore => ({
    ...store,
    async get(key, options) {
      if (key.startsWith('staging/') && !key.endsWith('.lease')) await interfere('read')
      return store.get(key, options)
    },
    async put(key, body, options) {
      if (isVersion(key)) await interfere('write')
      return store.put(key, body, options)
    },
    async copyAbsent(from, to, options) {
      copied.push(to)
      await interfere('copy')
      return store.copyAbsent(from, to, options)
    },
  })
  const capabilities = { ...minioCapabilities, ...known }
  const service = await serviceInProcess({ capabilities, decorate, ...(replicaOf ? { replicaOf } : {}) })
  return { service, copied, before }
}

function isVersion(key: string): boolean {
  return key.includes('/documents/')
}

/** Puts an object where the ticket points without using the ticket, as a store permits that enforces nothing. */
async function putStaged(ticket: Ticket, bytes: Uint8Array<ArrayBuffer>, type = contentType): Promise<void> {
  const size = bytes.length
  await copying.service.store.put(`staging/acme/${ticket.id}`, bytes, { size, contentType: type })
}

/** The same, and the store knows the SHA-256 of the bytes. */
async function putStagedWithDigest(ticket: Ticket, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const { connection } = copying.service
  const signer = createS3TransferSigner({
    ...connection,
    connectionsMax: 1,
    publicEndpoint: connection.endpoint,
  })
  const form = await signer.postForm({
    ...{ key: `docs/staging/acme/${ticket.id}`, size: bytes.length, contentType, expiresInSeconds: 60 },
    sha256: digestOf(bytes).slice('sha256:'.length),
  })
  const sent = await sendTicket({ ...ticket, method: 'POST', ...form, fields: { ...form.fields } }, bytes)
  expect(sent.status).toBe(200)
  signer.close()
}

function published(name: string, bytes: Uint8Array) {
  return storedUnder(copying.service.store, keyOf('bundles', name, digestOf(bytes)))
}

describe('a completion', () => {
  /** Uploads and completes; whether the bytes were copied inside the store. */
  async function wasCopied({ service, copied }: Watched, name: string): Promise<boolean> {
    const bytes = randomDocument(KiB)
    const calls = await ticketCalls(service)
    expect((await calls.complete(name, await calls.uploaded(name, bytes))).status).toBe(201)
    expect(await published(name, bytes)).toEqual({ digest: digestOf(bytes), size: KiB })
    return copied.includes(keyOf('bundles', name, digestOf(bytes)))
  }

  it('copies inside the store only if the store enforced the digest and honours the pin', async () => {
    expect(await wasCopied(copying, 'copied')).toBe(true)
    expect(await wasCopied(unpinned, 'unpinned')).toBe(false)
    expect(await wasCopied(unenforced, 'unenforced')).toBe(false)
    expect(await wasCopied(neither, 'neither')).toBe(false)
  })

  it('does not copy bytes whose digest the store does not report', async () => {
    const bytes = randomDocument(KiB)
    const calls = await ticketCalls(copying.service)
    const ticket = await calls.ticketFor('unreported', bytes)
    await putStaged(ticket, bytes)
    expect((await calls.complete('unreported', ticket)).status).toBe(201)
    expect(copying.copied).not.toContain(keyOf('bundles', 'unreported', digestOf(bytes)))
  })

  it('answers 200 and empties staging if the version exists', async () => {
    for (const { service } of [copying, neither]) {
      const bytes = randomDocument(KiB)
      const calls = await ticketCalls(service)
      const ticket = await calls.uploaded('existing', bytes)
      await calls.call('bundles/existing', { method: 'PUT', body: bytes })
      expect((await calls.complete('existing', ticket)).status).toBe(200)
      expect(await service.store.head(`staging/acme/${ticket.id}`)).toBeNull()
    }
  })

  it('gives the version the content type of the ticket, not that of the staged object', async () => {
    const bytes = randomDocument(KiB)
    const calls = await ticketCalls(neither.service)
    const ticket = await calls.ticketFor('typed', bytes)
    await putStaged(ticket, bytes, 'text/html')
    expect((await calls.complete('typed', ticket)).status).toBe(201)
    expect((await calls.call('bundles/typed')).headers.get('content-type')).toBe(contentType)
  })
})

describe('a completion of other bytes than those of the ticket', () => {
  async function refused(
    { service }: Watched,
    name: string,
    stage: (ticket: Ticket, good: Uint8Array<ArrayBuffer>) => Promise<void>,
  ) {
    const good = randomDocument(KiB)
    const calls = await ticketCalls(service)
    const ticket = await calls.ticketFor(name, good)
    await stage(ticket, good)
    const refusal = await refusalOf(await calls.complete(name, ticket))
    const staged = await service.store.head(`staging/acme/${ticket.id}`)
    const again = await refusalOf(await calls.complete(name, ticket))
    return { refusal, staged, again, published: await published(name, good) }
  }

  const emptied = {
    refusal: '422 digest_mismatch',
    staged: null,
    again: '404 upload_not_found',
    published: null,
  }

  it('publishes nothing and empties staging if the bytes are of the same size', async () => {
    const other = randomDocument(KiB)
    const stage = (ticket: Ticket) => putStaged(ticket, other)
    expect(await refused(neither, 'other-neither', stage)).toEqual(emptied)
    expect(await refused(unenforced, 'other-unenforced', stage)).toEqual(emptied)
    expect(await refused(unpinned, 'other-unpinned', stage)).toEqual(emptied)
    expect(await refused(copying, 'other-copying', stage)).toEqual(emptied)
  })

  it('publishes nothing and empties staging if the store reports their digest', async () => {
    const other = randomDocument(KiB)
    const stage = (ticket: Ticket) => putStagedWithDigest(ticket, other)
    expect(await refused(copying, 'vouched-copying', stage)).toEqual(emptied)
    expect(await refused(unpinned, 'vouched-unpinned', stage)).toEqual(emptied)
    expect(await refused(neither, 'vouched-neither', stage)).toEqual(emptied)
  })

  it('publishes nothing and empties staging if the size differs', async () => {
    const longer = (ticket: Ticket, good: Uint8Array) =>
      putStaged(ticket, new Uint8Array(Buffer.concat([good, new Uint8Array(1)])))
    const shorter = (ticket: Ticket, good: Uint8Array<ArrayBuffer>) => putStaged(ticket, good.slice(1))
    expect(await refused(neither, 'longer', longer)).toEqual(emptied)
    expect(await refused(copying, 'longer-copying', longer)).toEqual(emptied)
    expect(await refused(neither, 'shorter', shorter)).toEqual(emptied)
  })

  it('does not touch the version if it was published before', async () => {
    const good = randomDocument(KiB)
    const calls = await ticketCalls(neither.service)
    const ticket = await calls.ticketFor('others', good)
    await calls.call('bundles/others', { method: 'PUT', body: good })
    await putStaged(ticket, randomDocument(KiB))
    expect(await refusalOf(await calls.complete('others', ticket))).toBe('422 digest_mismatch')
    expect(await published('others', good)).toEqual({ digest: digestOf(good), size: KiB })
    expect((await calls.complete('others', ticket)).status).toBe(200)
  })
})

describe('staged bytes that change while they are published', () => {
  async function changed(watched: Watched, name: string, when: keyof Watched['before']) {
    const good = randomDocument(KiB)
    const calls = await ticketCalls(watched.service)
    const ticket = await calls.uploaded(name, good)
    watched.before[when] = () => putStaged(ticket, randomDocument(KiB))
    const answer = await calls.complete(name, ticket)
    expect(watched.before).toEqual({})
    return {
      answer: answer.ok ? answer.status : await refusalOf(answer),
      published: (await published(name, good))?.digest === digestOf(good),
    }
  }

  it('are not published, by copy or by stream', async () => {
    const nothing = { answer: '409 upload_changed', published: false }
    expect(await changed(copying, 'before-copy', 'copy')).toEqual(nothing)
    expect(await changed(neither, 'before-stream', 'read')).toEqual(nothing)
  })

  it('are published as they were if reading has begun', async () => {
    expect(await changed(neither, 'while-read', 'write')).toEqual({ answer: 201, published: true })
  })

  it('are reported as changed if they are gone meanwhile, and as not found from then on', async () => {
    const calls = await ticketCalls(copying.service)
    const ticket = await calls.uploaded('gone', randomDocument(KiB))
    copying.before.copy = () => copying.service.store.delete(`staging/acme/${ticket.id}`)
    expect(await refusalOf(await calls.complete('gone', ticket))).toBe('409 upload_changed')
    expect(await refusalOf(await calls.complete('gone', ticket))).toBe('404 upload_not_found')
  })

  it('are not published a second time if another upload was faster', async () => {
    const bytes = randomDocument(KiB)
    for (const [watched, when] of [
      [copying, 'copy'],
      [neither, 'read'],
    ] as const) {
      const calls = await ticketCalls(watched.service)
      const name = `overtaken-${when}`
      const ticket = await calls.uploaded(name, bytes)
      watched.before[when] = async () => {
        expect((await calls.call(`bundles/${name}`, { method: 'PUT', body: bytes })).status).toBe(201)
      }
      expect((await calls.complete(name, ticket)).status).toBe(200)
    }
  })
})
