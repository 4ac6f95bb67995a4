import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { jsonOf, put, refusalOf } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf, KiB, keyOf, randomDocument, storedUnder } from '../../support/service/sample-documents.ts'
import { ticketCalls } from '../../support/service/ticket-calls.ts'
import { sendTicket } from '../../support/service/ticket-upload.ts'
import { probedCapabilities } from '../../support/stores/probed-capabilities.ts'
import { storeForTests } from '../../support/stores/store.ts'

setDefaultTimeout(600_000)

const capabilities = await probedCapabilities(await storeForTests())
const { service } = await ownService({ capabilities })
const alice = await ticketCalls(service)

async function latestOf(name: string): Promise<unknown> {
  return (await jsonOf(await alice.call(`bundles/${name}/tags/latest`))).digest
}

function remove(name: string, digest: string): Promise<Response> {
  return alice.call(`bundles/${name}/versions/${digest}`, { method: 'DELETE' })
}

describe('a completion', () => {
  it('finds nothing if nothing was uploaded', async () => {
    const ticket = await alice.ticketFor('nothing', randomDocument(KiB))
    expect(await refusalOf(await alice.complete('nothing', ticket))).toBe('404 upload_not_found')
  })

  it('can be repeated after it came too early for the upload', async () => {
    const bytes = randomDocument(KiB)
    const ticket = await alice.ticketFor('early', bytes)
    expect(await refusalOf(await alice.complete('early', ticket))).toBe('404 upload_not_found')
    await sendTicket(ticket, bytes)
    expect((await alice.complete('early', ticket)).status).toBe(201)
  })

  it('can be repeated, and answers with the same document', async () => {
    const bytes = randomDocument(KiB)
    const ticket = await alice.uploaded('repeated', bytes)
    const first = await alice.complete('repeated', ticket)
    const second = await alice.complete('repeated', ticket)
    expect([first.status, second.status]).toEqual([201, 200])
    expect(second.headers.get('cache-control')).toBe('no-store')
    expect(await jsonOf(second)).toEqual(await jsonOf(first))
  })

  it('keeps the first writer of a version', async () => {
    const bytes = randomDocument(KiB)
    const bob = await ticketCalls(service, await service.token({ sub: 'bob' }))
    const ofBob = await bob.uploaded('first', bytes)
    const ofAlice = await alice.uploaded('first', bytes)
    expect((await bob.complete('first', ofBob)).status).toBe(201)
    const second = await alice.complete('first', ofAlice)
    expect(second.status).toBe(200)
    expect(await jsonOf(second)).toMatchObject({ createdBy: 'bob' })
  })

  it('moves latest to what it published', async () => {
    const [old, bytes] = [randomDocument(KiB), randomDocument(KiB)]
    await put(alice.call, 'bundles/moves', old)
    await alice.complete('moves', await alice.uploaded('moves', bytes))
    expect(await latestOf('moves')).toBe(digestOf(bytes))
  })

  it('moves latest also if others were uploaded since the ticket was given', async () => {
    const [early, later] = [randomDocument(KiB), randomDocument(KiB)]
    const ticket = await alice.uploaded('order', early)
    await put(alice.call, 'bundles/order', later)
    const completed = await alice.complete('order', ticket)
    expect(completed.status).toBe(201)
    expect(await jsonOf(completed)).toMatchObject({ digest: digestOf(early), tags: ['latest'] })
    expect(await latestOf('order')).toBe(digestOf(early))
  })

  it('never moves latest back when it is repeated', async () => {
    const [early, later] = [randomDocument(KiB), randomDocument(KiB)]
    const ticket = await alice.uploaded('repeat-order', early)
    await alice.complete('repeat-order', ticket)
    await put(alice.call, 'bundles/repeat-order', later)
    expect((await alice.complete('repeat-order', ticket)).status).toBe(200)
    expect(await latestOf('repeat-order')).toBe(digestOf(later))
  })

  it('never brings back a version that was deleted since', async () => {
    const bytes = randomDocument(KiB)
    const ticket = await alice.uploaded('deleted', bytes)
    expect((await alice.complete('deleted', ticket)).status).toBe(201)
    expect((await remove('deleted', digestOf(bytes))).status).toBe(204)
    expect(await refusalOf(await alice.complete('deleted', ticket))).toBe('409 conflict')
    expect(await storedUnder(service.store, keyOf('bundles', 'deleted', digestOf(bytes)))).toBeNull()
    expect((await alice.call('bundles/deleted')).status).toBe(404)
  })
})
