import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { deriveKey } from '../../../service/derived-key.ts'
import { createTicketSigner, type UploadClaims } from '../../../service/documents/ticket-signer.ts'
import { jsonOf, refusalOf } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf, KiB, randomDocument } from '../../support/service/sample-documents.ts'
import { serviceInProcess } from '../../support/service/service-for-tests.ts'
import { contentType, jsonBody, ticketCalls } from '../../support/service/ticket-calls.ts'
import { sendTicket, type Ticket } from '../../support/service/ticket-upload.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { probedCapabilities } from '../../support/stores/probed-capabilities.ts'
import { storeForTests } from '../../support/stores/store.ts'
import { keysOf } from '../../support/stores/store-contents.ts'

setDefaultTimeout(600_000)

const capabilities = await probedCapabilities(await storeForTests())
const { service } = await ownService({ capabilities })
const replica = stoppedAfterTests(await serviceInProcess({ capabilities, replicaOf: service }))
const alice = await ticketCalls(service)

describe('asking for an upload ticket', () => {
  it('returns a ticket with all that the client needs, and keeps it out of caches', async () => {
    const before = Date.now()
    const response = await alice.ask('shape', randomDocument(KiB))
    const ticket = await jsonOf(response)
    const how = ticket.method === 'POST' ? 'fields' : 'headers'
    expect(response.status).toBe(201)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(Object.keys(ticket).sort()).toEqual(
      ['id', 'ticket', 'method', 'url', how, 'expiresAt', 'completeBefore'].sort(),
    )
    expect(ticket.id).toMatch(/^[0-9a-f]{32}$/)
    const minutes = (time: unknown) => Math.round((Date.parse(String(time)) - before) / 60_000)
    expect(minutes(ticket.expiresAt)).toBe(15)
    expect(minutes(ticket.completeBefore)).toBe(360)
  })

  it('points at staging of the tenant, never at a version', async () => {
    const ticket = await alice.ticketFor('staging', randomDocument(KiB))
    const key =
      ticket.method === 'POST' ? ticket.fields.key : decodeURIComponent(new URL(ticket.url).pathname)
    expect(key).toEndWith(`docs/staging/acme/${ticket.id}`)
  })

  it('reports bytes that are published already, without a URL, and makes them latest', async () => {
    const [first, second] = [randomDocument(KiB), randomDocument(KiB)]
    await alice.call('bundles/again', { method: 'PUT', body: first })
    await alice.call('bundles/again', { method: 'PUT', body: second })
    const response = await alice.ask('again', first)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const answer = await jsonOf(response)
    expect(Object.keys(answer)).toEqual(['published'])
    expect(answer.published).toMatchObject({ digest: digestOf(first), size: KiB, tags: ['latest'] })
  })

  it('refuses a malformed request for a ticket', async () => {
    const bytes = randomDocument(KiB)
    const changed = async (over: Record<string, unknown>) =>
      refusalOf(await alice.ask('refused', bytes, over))
    expect(await changed({ acl: 'public-read' })).toBe('422 request_invalid')
    expect(await changed({ digest: digestOf(bytes).toUpperCase() })).toBe('422 request_invalid')
    expect(await changed({ digest: 'sha256:00' })).toBe('422 request_invalid')
    expect(await changed({ size: -1 })).toBe('422 request_invalid')
    expect(await changed({ size: 1.5 })).toBe('422 request_invalid')
    expect(await changed({ size: '1024' })).toBe('422 request_invalid')
    expect(await changed({ size: 6 * 1024 ** 3 })).toBe('413 document_too_large')
    expect(await changed({ contentType: 'text/plain\r\nx: y' })).toBe('422 request_invalid')
    expect(await changed({ contentType: undefined })).toBe('422 request_invalid')
    const query = await alice.call('bundles/refused/uploads?key=x', {
      method: 'POST',
      ...jsonBody({ digest: digestOf(bytes), size: KiB, contentType }),
    })
    expect(await refusalOf(query)).toBe('422 request_invalid')
  })

  it('returns a ticket for another size of published bytes without reading them, and publishes nothing with it', async () => {
    const bytes = randomDocument(KiB)
    await alice.call('bundles/sized', { method: 'PUT', body: bytes })
    service.storeCalls.length = 0
    const response = await alice.ask('sized', bytes, { size: 5 })
    expect([response.status, service.storeCalls]).toEqual([201, ['head']])
    const ticket = (await jsonOf(response)) as unknown as Ticket
    await sendTicket(ticket, bytes.slice(0, 5))
    const refusals = ['422 digest_mismatch', '404 upload_not_found']
    expect(await refusalOf(await alice.complete('sized', ticket))).toBeOneOf(refusals)
    expect(await (await alice.call('bundles/sized')).bytes()).toEqual(bytes)
  })
})

describe('an upload by ticket', () => {
  it('becomes a version that hashes to its digest, with the type and subject of the ticket', async () => {
    const bytes = randomDocument(300 * KiB)
    const ticket = await alice.uploaded('whole', bytes)
    const response = await alice.complete('whole', ticket)
    expect(response.status).toBe(201)
    const { createdAt, ...document } = await jsonOf(response)
    expect(document).toEqual({
      tenant: 'acme',
      type: 'bundles',
      name: 'whole',
      digest: digestOf(bytes),
      size: bytes.length,
      contentType,
      createdBy: 'alice',
      tags: ['latest'],
    })
    expect(Math.abs(Date.parse(String(createdAt)) - Date.now())).toBeLessThan(60_000)
    const read = await alice.call('bundles/whole')
    expect(read.headers.get('content-type')).toBe(contentType)
    expect(digestOf(await read.bytes())).toBe(digestOf(bytes))
    expect(await keysOf(service.store, 'staging/')).not.toContain(`staging/acme/${ticket.id}`)
  })

  it('may have a type with parameters', async () => {
    const bytes = randomDocument(KiB)
    const typed = { contentType: 'text/plain; charset="utf-8"; x=a+b' }
    const ticket = (await jsonOf(await alice.ask('typed', bytes, typed))) as unknown as Ticket
    expect((await sendTicket(ticket, bytes)).status).toBe(200)
    expect(await jsonOf(await alice.complete('typed', ticket))).toMatchObject(typed)
  })

  it('cannot be read before it is completed', async () => {
    const bytes = randomDocument(KiB)
    await alice.uploaded('incomplete', bytes)
    expect((await alice.call('bundles/incomplete')).status).toBe(404)
    expect((await alice.call(`bundles/incomplete/versions/${digestOf(bytes)}`)).status).toBe(404)
  })

  it('can be completed by any replica', async () => {
    const bytes = randomDocument(KiB)
    const ticket = await alice.uploaded('replicas', bytes)
    const other = await ticketCalls(replica)
    expect((await other.complete('replicas', ticket)).status).toBe(201)
    expect((await alice.complete('replicas', ticket)).status).toBe(200)
  })
})

describe('a ticket', () => {
  async function attempt(name: string, ticket: { id: string; ticket: string }, calls = alice) {
    service.storeCalls.length = 0
    const refusal = await refusalOf(await calls.complete(name, ticket))
    // Decided by the ticket alone.
    return service.storeCalls.length === 0 ? refusal : `${refusal} after ${service.storeCalls}`
  }

  it('is valid only for the subject, tenant, type, name and upload that it was issued for', async () => {
    const bytes = randomDocument(KiB)
    const ticket = await alice.uploaded('bound', bytes)
    const other = await alice.ticketFor('bound', randomDocument(KiB))
    const bob = await ticketCalls(service, await service.token({ sub: 'bob' }))
    expect(await attempt('bound', ticket, bob)).toBe('422 ticket_invalid')
    expect(await attempt('elsewhere', ticket)).toBe('422 ticket_invalid')
    expect(await attempt('bound', { id: other.id, ticket: ticket.ticket })).toBe('422 ticket_invalid')
    const otherType = `definitions/bound/uploads/${ticket.id}/complete`
    const typed = await alice.call(otherType, { method: 'POST', ...jsonBody({ ticket: ticket.ticket }) })
    expect(await refusalOf(typed)).toBe('422 ticket_invalid')
    const both = await ticketCalls(service, await service.token({ tenants: ['acme', 'globex'] }))
    const otherTenant = `/v1/tenants/globex/documents/bundles/bound/uploads/${ticket.id}/complete`
    const foreign = await both.call(otherTenant, { method: 'POST', ...jsonBody({ ticket: ticket.ticket }) })
    expect(await refusalOf(foreign)).toBe('422 ticket_invalid')
    expect((await alice.complete('bound', ticket)).status).toBe(201)
  })

  it('is refused when anything in it was altered', async () => {
    const { id, ticket } = await alice.uploaded('altered', randomDocument(KiB))
    const [head = '', payload = '', signature = ''] = ticket.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const signedOver = (changed: unknown) =>
      `${head}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${signature}`
    const otherDigest = { ...claims.upload, digest: digestOf(randomDocument(1)) }
    const altered = [
      signedOver({ ...claims, upload: otherDigest }),
      signedOver({ ...claims, exp: claims.exp + 86_400 }),
      `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    ]
    for (const each of altered)
      expect(await attempt('altered', { id, ticket: each })).toBe('422 ticket_invalid')
    expect((await alice.complete('altered', { id, ticket })).status).toBe(201)
  })

  it('is refused in another form before it is read', async () => {
    const { id, ticket } = await alice.ticketFor('malformed', randomDocument(KiB))
    const malformed = [
      { id, ticket: '' },
      { id, ticket: 'x'.repeat(5000) },
      { id: id.slice(1), ticket },
      { id: id.toUpperCase().replace(/\d/g, 'A'), ticket },
    ]
    for (const each of malformed) expect(await attempt('malformed', each)).toBe('422 request_invalid')
  })

  it('is refused with unknown fields next to it', async () => {
    const { id, ticket } = await alice.ticketFor('fields', randomDocument(KiB))
    const response = await alice.call(`bundles/fields/uploads/${id}/complete`, {
      method: 'POST',
      ...jsonBody({ ticket, digest: digestOf(new Uint8Array()) }),
    })
    expect(await refusalOf(response)).toBe('422 request_invalid')
  })

  it('is refused with 410 once it has expired', async () => {
    const { claims, seal } = claimsFor('late')
    expect(await attempt('late', { id: claims.id, ticket: await seal(-1000) })).toBe('410 upload_expired')
    // The same in time: only the bytes are missing.
    const inTime = await alice.complete('late', { id: claims.id, ticket: await seal(60_000) })
    expect(await refusalOf(inTime)).toBe('404 upload_not_found')
  })

  /** Claims for an upload that was never made, sealed as the service does it. */
  function claimsFor(name: string) {
    const id = '0123456789abcdef0123456789abcdef'
    const claims: UploadClaims = {
      ...{ id, tenant: 'acme', type: 'bundles', name, digest: digestOf(new Uint8Array()), size: 0 },
      ...{ contentType, stagingKey: `staging/acme/${id}`, subject: 'alice', admittedAtMs: Date.now() },
    }
    const key = deriveKey(service.connection.secretAccessKey, 'documents/ticket/v1')
    const seal = (milliseconds: number) =>
      createTicketSigner([key]).seal(claims, new Date(Date.now() + milliseconds))
    return { claims, seal }
  }
})

describe('the log of a signed URL', () => {
  it('has one audit line with its id and expiry, written before the answer', async () => {
    const bytes = randomDocument(KiB)
    const ticket = await alice.uploaded('audited', bytes)
    await alice.complete('audited', ticket)
    const download = await alice.call(`bundles/audited/versions/${digestOf(bytes)}/downloads`, {
      method: 'POST',
    })
    const { expiresAt } = await jsonOf(download)
    const minted = service.logs().filter(({ rule, name }) => rule === 'url-minted' && name === 'audited')
    expect(minted).toHaveLength(2)
    expect(minted[0]).toMatchObject({
      subject: 'alice',
      tenant: 'acme',
      action: 'upload.create',
      decision: 'allowed',
      signedUrl: { id: ticket.id, expiresAt: ticket.expiresAt },
    })
    expect(minted[1]).toMatchObject({
      action: 'download.create',
      digest: digestOf(bytes),
      signedUrl: { id: expect.stringMatching(/^[0-9a-f]{32}$/), expiresAt },
    })
  })
})
