import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { refusalOf } from '../../support/service/caller.ts'
import { digestOf, KiB, keyOf, randomDocument, storedUnder } from '../../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../../support/service/service-for-tests.ts'
import { type TicketCalls, ticketCalls } from '../../support/service/ticket-calls.ts'
import { sendTicket } from '../../support/service/ticket-upload.ts'
import { probedCapabilities } from '../../support/stores/probed-capabilities.ts'
import { storeForTests } from '../../support/stores/store.ts'
import { type StoreBehaviours, startStoreProxy } from '../../support/stores/strict-proxy.ts'

const stops: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
})

/** The service in front of the store of this run, as if that had other properties; as the probe finds it. */
async function serviceOn(behaviours: StoreBehaviours): Promise<InProcessService> {
  const store = await startStoreProxy(await storeForTests(), behaviours)
  stops.push(() => store.stop())
  const service = await serviceInProcess({ store, capabilities: await probedCapabilities(store) })
  stops.push(() => service.stop())
  return service
}

/** Without the query of a multipart upload, a POST to the bucket is a form. */
const noForms: StoreBehaviours['answer'] = ({ method, query }) =>
  method === 'POST' && Object.keys(query).length === 0
    ? { status: 405, contentType: 'application/xml', body: '<Error><Code>MethodNotAllowed</Code></Error>' }
    : null

describe('tickets on a store that refuses unsigned x-amz-* headers and takes no forms', () => {
  let service: InProcessService
  let alice: TicketCalls
  beforeAll(async () => {
    service = await serviceOn({ refuseUnsignedAmzHeaders: true, answer: noForms })
    alice = await ticketCalls(service)
  }, 600_000)

  it('are presigned PUTs: uploaded, completed and published', async () => {
    const bytes = randomDocument(300 * KiB)
    const ticket = await alice.ticketFor('by-put', bytes)
    expect(ticket.method).toBe('PUT')
    expect((await sendTicket(ticket, bytes)).status).toBe(200)
    const completed = await alice.complete('by-put', ticket)
    expect(completed.status).toBe(201)
    expect(await storedUnder(service.store, keyOf('bundles', 'by-put', digestOf(bytes)))).toEqual({
      digest: digestOf(bytes),
      size: bytes.length,
    })
    expect((await alice.call('bundles/by-put')).status).toBe(200)
  })

  it('publish nothing of other bytes, whether the store or the completion notices', async () => {
    const [bytes, others] = [randomDocument(KiB), randomDocument(KiB)]
    const ticket = await alice.ticketFor('forged', bytes)
    const sent = await sendTicket(ticket, others)
    const refusal = await refusalOf(await alice.complete('forged', ticket))
    expect(refusal).toBe(sent.ok ? '422 digest_mismatch' : '404 upload_not_found')
    expect(await storedUnder(service.store, keyOf('bundles', 'forged', digestOf(bytes)))).toBeNull()
  })
})

describe('tickets on a store that takes no forms', () => {
  it('are refused where presigned PUTs have the copy hole; uploads through the service still work', async () => {
    const { kind } = await storeForTests()
    const service = await serviceOn({ answer: noForms })
    const alice = await ticketCalls(service)
    const answer = await alice.ask('none', randomDocument(KiB))
    if (kind === 'seaweedfs') {
      expect(answer.status).toBe(201)
    } else {
      expect(await refusalOf(answer)).toBe('501 tickets_unavailable')
    }
    expect((await alice.call('bundles/none', { method: 'PUT', body: 'streamed' })).status).toBe(201)
  })
})

describe('tickets on a store that refuses unsigned x-amz-* headers and takes forms', () => {
  it('are still forms where those are bound', async () => {
    const { kind } = await storeForTests()
    const alice = await ticketCalls(await serviceOn({ refuseUnsignedAmzHeaders: true }))
    const bytes = randomDocument(KiB)
    const ticket = await alice.ticketFor('either', bytes)
    expect(ticket.method).toBe(kind === 'seaweedfs' ? 'PUT' : 'POST')
    expect((await sendTicket(ticket, bytes)).ok).toBe(true)
    expect((await alice.complete('either', ticket)).status).toBe(201)
  })
})
