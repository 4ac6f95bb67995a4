import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { jsonOf, refusalOf } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf, KiB, keyOf, randomDocument, storedUnder } from '../../support/service/sample-documents.ts'
import { serviceInProcess } from '../../support/service/service-for-tests.ts'
import { contentType, ticketCalls } from '../../support/service/ticket-calls.ts'
import { sendTicket, type Ticket } from '../../support/service/ticket-upload.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { minioCapabilities } from '../../support/stores/known-capabilities.ts'
import { probedCapabilities } from '../../support/stores/probed-capabilities.ts'
import { storeForTests } from '../../support/stores/store.ts'
import { type StoreBehaviours, startStoreProxy } from '../../support/stores/strict-proxy.ts'

setDefaultTimeout(600_000)

/** A store that accepts no forms and refuses what a presigned PUT was not signed for. */
const strict: StoreBehaviours = {
  refuseUnsignedAmzHeaders: true,
  answer: ({ method, query }) =>
    method === 'POST' && !('uploads' in query) && !('uploadId' in query)
      ? { status: 405, contentType: 'text/plain', body: 'no forms here' }
      : null,
}

const proxy = stoppedAfterTests(await startStoreProxy(await storeForTests(), strict))
const { service } = await ownService({ store: proxy, capabilities: await probedCapabilities(proxy) })

describe('tickets on a store that accepts no forms and refuses unsigned headers', () => {
  it('are presigned PUTs, with the headers that bind size, type and digest', async () => {
    const alice = await ticketCalls(service)
    const bytes = randomDocument(KiB)
    const answer = await jsonOf(await alice.ask('put', bytes))
    expect(answer).not.toContainKey('fields')
    expect(answer).toMatchObject({
      method: 'PUT',
      headers: {
        'content-length': String(KiB),
        'content-type': contentType,
        'x-amz-checksum-sha256': Bun.SHA256.hash(bytes, 'base64'),
      },
    })
    const signed = new URL(String(answer.url)).searchParams.get('X-Amz-SignedHeaders')
    expect(signed?.split(';')).toEqual(['content-length', 'content-type', 'host', 'x-amz-checksum-sha256'])
  })

  it('publish what was uploaded with them, of any size', async () => {
    const alice = await ticketCalls(service)
    for (const size of [0, 1, 300 * KiB]) {
      const bytes = randomDocument(size)
      const ticket = await alice.uploaded('put', bytes)
      expect((await alice.complete('put', ticket)).status).toBe(201)
      expect(await storedUnder(service.store, keyOf('bundles', 'put', digestOf(bytes)))).toEqual({
        digest: digestOf(bytes),
        size,
      })
    }
  })

  it('copy nothing, read nothing and change nothing that they were not signed for', async () => {
    const alice = await ticketCalls(service)
    const victim = randomDocument(KiB)
    await alice.call('bundles/victim', { method: 'PUT', body: victim })
    const source = `/${service.connection.bucket}/docs/${keyOf('bundles', 'victim', digestOf(victim))}`
    const own = randomDocument(KiB)
    const attempt = async (headers: Record<string, string>, bytes = own) => {
      const ticket = await alice.ticketFor('attack', own)
      const { status } = await sendTicket(ticket, bytes, { headers })
      const completed = await refusalOf(await alice.complete('attack', ticket))
      return `${status}, ${completed}`
    }
    const refused = '403, 404 upload_not_found'
    expect(await attempt({ 'x-amz-copy-source': source })).toBe(refused)
    expect(await attempt({ 'x-amz-acl': 'public-read' })).toBe(refused)
    expect(await attempt({ 'x-amz-meta-created-by': 'bob' })).toBe(refused)
    expect(await attempt({ 'content-type': 'text/html' })).toBe(refused)
    expect(await attempt({}, randomDocument(KiB + 1))).toBe(refused)
    expect(await attempt({}, randomDocument(KiB))).toBe('400, 404 upload_not_found')
  })
})

describe('a presigned PUT on a store that accepts unsigned headers', () => {
  it('would publish the document of another tenant to anyone who knows its digest', async () => {
    // Without the probe's verdict: this is what it protects from.
    const deceived = await serviceInProcess({ capabilities: { ...minioCapabilities, ticketMethod: 'PUT' } })
    try {
      const victim = await ticketCalls(deceived, await deceived.token({ tenants: ['globex'] }))
      const secret = randomDocument(KiB)
      await victim.call('/v1/tenants/globex/documents/bundles/secret', { method: 'PUT', body: secret })
      const mallory = await ticketCalls(deceived, await deceived.token({ sub: 'mallory' }))
      const ticket: Ticket = await mallory.ticketFor('stolen', secret)
      const source = `/${deceived.connection.bucket}/docs/${keyOf('bundles', 'secret', digestOf(secret), 'globex')}`
      await sendTicket(ticket, new Uint8Array(KiB), { headers: { 'x-amz-copy-source': source } })
      expect((await mallory.complete('stolen', ticket)).status).toBe(201)
    } finally {
      await deceived.stop()
    }
  })
})
