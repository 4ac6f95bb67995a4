import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { createS3TransferSigner } from '../../../service/object-store/s3/s3-transfer-signer.ts'
import { refusalOf } from '../../support/service/caller.ts'
import { digestOf, KiB, keyOf, randomDocument, storedUnder } from '../../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../../support/service/service-for-tests.ts'
import { contentType, ticketCalls } from '../../support/service/ticket-calls.ts'
import { sendTicket, type Ticket } from '../../support/service/ticket-upload.ts'
import { minioCapabilities } from '../../support/stores/known-capabilities.ts'

/** What a service did with bytes, such as `get staging`; tags and looks (`head`) aside. */
interface Watched {
  service: InProcessService
  done: string[]
  /** Runs once, before the store is asked for this; then it is forgotten. */
  before: Map<string, () => Promise<unknown>>
  /** Goes over what a `head` of a version says. */
  lie: { etag?: string; absent?: boolean }
}

let copying: Watched
let unpinned: Watched
let unenforced: Watched
let neither: Watched
let all: Watched[]

beforeAll(async () => {
  copying = await watched({ digestEnforced: true, copyPinHonoured: true })
  const beside = copying.service
  unpinned = await watched({ digestEnforced: true, copyPinHonoured: false }, beside)
  unenforced = await watched({ digestEnforced: false, copyPinHonoured: true }, beside)
  neither = await watched({ digestEnforced: false, copyPinHonoured: false }, beside)
  all = [neither, unenforced, unpinned, copying]
}, 600_000)

afterAll(async () => {
  for (const { service } of all) await service.stop()
})

async function watched(
  known: { digestEnforced: boolean; copyPinHonoured: boolean },
  beside?: InProcessService,
): Promise<Watched> {
  const done: string[] = []
  const before: Watched['before'] = new Map()
  const lie: Watched['lie'] = {}
  const note = async (what: string) => {
    if (what.includes('tags')) return
    done.push(what)
    const first = before.get(what)
    before.delete(what)
    await first?.()
  }
  const decorate = (store: ObjectStore): ObjectStore => ({
    ...store,
    async get(key, options) {
      await note(`get ${kindOf(key)}`)
      return store.get(key, options)
    },
    async put(key, body, options) {
      await note(`put ${kindOf(key)}`)
      return store.put(key, body, options)
    },
    async copy(from, to, options) {
      await note(`copy ${kindOf(from)} to ${kindOf(to)}`)
      return store.copy(from, to, options)
    },
    async delete(key, options) {
      await note(`delete ${kindOf(key)}`)
      return store.delete(key, options)
    },
    async head(key, options) {
      const info = await store.head(key, options)
      if (!info || kindOf(key) !== 'version') return info
      return lie.absent ? null : { ...info, etag: lie.etag ?? info.etag }
    },
  })
  const capabilities = { ...minioCapabilities, ...known }
  const service = await serviceInProcess({ capabilities, decorate, ...(beside ? { beside } : {}) })
  return { service, done, before, lie }
}

function kindOf(key: string): string {
  if (key.startsWith('staging/')) return 'staging'
  return key.includes('/documents/') ? 'version' : 'tags'
}

/** Uploads and completes; what the completion did with bytes. */
async function complete({ service, done }: Watched, name: string, bytes: Uint8Array<ArrayBuffer>) {
  const calls = await ticketCalls(service)
  const ticket = await calls.uploaded(name, bytes)
  done.length = 0
  const { status } = await calls.complete(name, ticket)
  return { status, done: [...done] }
}

/** Puts an object where the ticket points, past the ticket: what a store does that enforces nothing. */
async function putStaged(ticket: Ticket, bytes: Uint8Array<ArrayBuffer>, type = contentType): Promise<void> {
  const size = bytes.length
  await copying.service.store.put(`staging/acme/${ticket.id}`, bytes, { size, contentType: type })
}

/** The same, where the store knows the SHA-256 of what it got. */
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
  it('copies inside the store where that enforced the digest and honours the pin', async () => {
    const bytes = randomDocument(KiB)
    const copied = await complete(copying, 'copied', bytes)
    expect(copied).toEqual({ status: 201, done: ['copy staging to version', 'delete staging'] })
    expect(await published('copied', bytes)).toEqual({ digest: digestOf(bytes), size: KiB })
  })

  it('streams through the service where either is missing', async () => {
    const streamed = { status: 201, done: ['get staging', 'put version', 'delete staging'] }
    const bytes = randomDocument(KiB)
    expect(await complete(unpinned, 'unpinned', bytes)).toEqual(streamed)
    expect(await complete(unenforced, 'unenforced', bytes)).toEqual(streamed)
    expect(await complete(neither, 'neither', bytes)).toEqual(streamed)
    expect(await published('neither', bytes)).toEqual({ digest: digestOf(bytes), size: KiB })
  })

  it('streams where the store should know the digest of these bytes and does not', async () => {
    const bytes = randomDocument(KiB)
    const calls = await ticketCalls(copying.service)
    const ticket = await calls.ticketFor('untold', bytes)
    await putStaged(ticket, bytes)
    copying.done.length = 0
    expect((await calls.complete('untold', ticket)).status).toBe(201)
    expect(copying.done).toEqual(['get staging', 'put version', 'delete staging'])
  })

  it('writes nothing where the version is there, and reads what was uploaded unless the store vouches', async () => {
    const bytes = randomDocument(KiB)
    const calls = await ticketCalls(copying.service)
    const tickets = [await calls.uploaded('there', bytes), await calls.uploaded('there', bytes)] as const
    await calls.call('bundles/there', { method: 'PUT', body: bytes })
    copying.done.length = 0
    expect((await calls.complete('there', tickets[0])).status).toBe(200)
    expect(copying.done).toEqual(['delete staging'])
    const streaming = await ticketCalls(neither.service)
    neither.done.length = 0
    expect((await streaming.complete('there', tickets[1])).status).toBe(200)
    expect(neither.done).toEqual(['get staging', 'delete staging'])
  })

  it('gives the version the type of the ticket, whatever lies in staging', async () => {
    const bytes = randomDocument(KiB)
    const calls = await ticketCalls(neither.service)
    const ticket = await calls.ticketFor('typed', bytes)
    await putStaged(ticket, bytes, 'text/html')
    expect((await calls.complete('typed', ticket)).status).toBe(201)
    expect((await calls.call('bundles/typed')).headers.get('content-type')).toBe(contentType)
  })
})

describe('a completion of what the ticket is not for', () => {
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

  it('publishes nothing and empties staging, if the bytes are others of the same size', async () => {
    const other = randomDocument(KiB)
    const stage = (ticket: Ticket) => putStaged(ticket, other)
    expect(await refused(neither, 'other-neither', stage)).toEqual(emptied)
    expect(await refused(unenforced, 'other-unenforced', stage)).toEqual(emptied)
    expect(await refused(unpinned, 'other-unpinned', stage)).toEqual(emptied)
    expect(await refused(copying, 'other-copying', stage)).toEqual(emptied)
  })

  it('does so, too, where the store vouches for a digest that is another', async () => {
    const other = randomDocument(KiB)
    const stage = (ticket: Ticket) => putStagedWithDigest(ticket, other)
    expect(await refused(copying, 'vouched-copying', stage)).toEqual(emptied)
    expect(await refused(unpinned, 'vouched-unpinned', stage)).toEqual(emptied)
    expect(await refused(neither, 'vouched-neither', stage)).toEqual(emptied)
  })

  it('does so, too, if the size is another', async () => {
    const longer = (ticket: Ticket, good: Uint8Array) =>
      putStaged(ticket, new Uint8Array(Buffer.concat([good, new Uint8Array(1)])))
    const shorter = (ticket: Ticket, good: Uint8Array<ArrayBuffer>) => putStaged(ticket, good.slice(1))
    expect(await refused(neither, 'longer', longer)).toEqual(emptied)
    expect(await refused(copying, 'longer-copying', longer)).toEqual(emptied)
    expect(await refused(neither, 'shorter', shorter)).toEqual(emptied)
  })

  it('leaves the version alone that others have published', async () => {
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
  async function changed(watched: Watched, name: string, when: string) {
    const good = randomDocument(KiB)
    const calls = await ticketCalls(watched.service)
    const ticket = await calls.uploaded(name, good)
    watched.before.set(when, () => putStaged(ticket, randomDocument(KiB)))
    const refusal = await refusalOf(await calls.complete(name, ticket))
    expect(watched.before.size).toBe(0)
    return { refusal, published: await published(name, good) }
  }

  it('are not published, by copy or by stream', async () => {
    const nothing = { refusal: '409 upload_changed', published: null }
    expect(await changed(copying, 'before-copy', 'copy staging to version')).toEqual(nothing)
    expect(await changed(neither, 'before-stream', 'get staging')).toEqual(nothing)
  })

  it('are published as they were where reading has begun', async () => {
    const good = randomDocument(KiB)
    const calls = await ticketCalls(neither.service)
    const ticket = await calls.uploaded('while-read', good)
    neither.before.set('put version', () => putStaged(ticket, randomDocument(KiB)))
    expect((await calls.complete('while-read', ticket)).status).toBe(201)
    expect(await published('while-read', good)).toEqual({ digest: digestOf(good), size: KiB })
  })

  it('are not found any more once they are gone', async () => {
    const calls = await ticketCalls(copying.service)
    const ticket = await calls.uploaded('gone', randomDocument(KiB))
    const remove = () => copying.service.store.delete(`staging/acme/${ticket.id}`)
    copying.before.set('copy staging to version', remove)
    expect(await refusalOf(await calls.complete('gone', ticket))).toBe('404 upload_not_found')
  })

  it('are not missed where another replica has published them meanwhile', async () => {
    const bytes = randomDocument(KiB)
    const [calls, others] = [await ticketCalls(copying.service), await ticketCalls(unpinned.service)]
    const ticket = await calls.uploaded('overtaken', bytes)
    const overtake = async () => expect((await others.complete('overtaken', ticket)).status).toBe(201)
    copying.before.set('copy staging to version', overtake)
    expect((await calls.complete('overtaken', ticket)).status).toBe(200)
    const again = await others.uploaded('overtaken-stream', bytes)
    unpinned.before.set('get staging', async () => {
      expect((await calls.complete('overtaken-stream', again)).status).toBe(201)
    })
    expect((await others.complete('overtaken-stream', again)).status).toBe(200)
  })

  it('are not kept for a repetition if the version is deleted at once', async () => {
    const calls = await ticketCalls(copying.service)
    const ticket = await calls.uploaded('deleted-at-once', randomDocument(KiB))
    copying.lie.absent = true
    expect(await refusalOf(await calls.complete('deleted-at-once', ticket))).toBe('409 conflict')
    delete copying.lie.absent
    expect(await copying.service.store.head(`staging/acme/${ticket.id}`)).toBeNull()
  })

  it('do not stay published if the copy is not what was pinned', async () => {
    const good = randomDocument(KiB)
    const calls = await ticketCalls(copying.service)
    const ticket = await calls.uploaded('lied', good)
    copying.lie.etag = 'of something else'
    expect(await refusalOf(await calls.complete('lied', ticket))).toBe('409 upload_changed')
    delete copying.lie.etag
    expect(await published('lied', good)).toBeNull()
    expect((await calls.complete('lied', ticket)).status).toBe(201)
  })
})
