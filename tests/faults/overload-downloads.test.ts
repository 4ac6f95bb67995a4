import { afterEach, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { createDocumentsClient } from '../../service/client/client.ts'
import { type Caller, callerOf, put, refusalOf } from '../support/service/caller.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import { KiB, MiB, pathOf, randomDocument } from '../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../support/service/service-for-tests.ts'
import { storeForTests } from '../support/stores/store.ts'
import { relayTo, type TcpRelay } from '../support/stores/tcp-relay.ts'
import { until } from '../support/waiting.ts'

setDefaultTimeout(600_000)

let relay: TcpRelay
let service: InProcessService
let call: Caller

afterEach(async () => {
  relay.cutAfter(Number.POSITIVE_INFINITY)
  await service.stop()
  relay.stop()
})

async function start(readVerification: 'store' | 'always'): Promise<void> {
  const store = await storeForTests()
  relay = relayTo(Number(new URL(store.endpoint).port))
  service = await serviceInProcess({
    store: { ...store, endpoint: `http://127.0.0.1:${relay.port}` },
    readVerification,
  })
  call = await callerOf(service)
}

const large = randomDocument(32 * MiB)

async function download(): Promise<RawExchange> {
  const path = pathOf('snapshots', 'large')
  const headers = { authorization: `Bearer ${await service.token()}` }
  return rawRequest(service.url, { method: 'GET', path, headers })
}

function readsOfBytes(): string[] {
  return relay.requests.filter((line) => line.startsWith('GET ') && line.includes('/documents/'))
}

describe('a download during which the store closes the connection, verified by the service', () => {
  beforeEach(() => start('always'))

  it('continues with the next byte, however often that happens', async () => {
    await put(call, 'snapshots/large', large)
    relay.requests.length = 0
    relay.cutAfter(12 * MiB)
    const { status, complete, body } = await (await download()).answer()
    expect([status, complete]).toEqual([200, true])
    expect(body.equals(large)).toBe(true)
    expect(readsOfBytes()).toHaveLength(3)
  })

  it('is never complete if the store does not come back', async () => {
    await put(call, 'snapshots/large', large)
    relay.cutAfter(12 * MiB)
    const broken = await download()
    await until(() => broken.received() > 0)
    broken.pause()
    relay.lose(Number.POSITIVE_INFINITY)
    broken.resume()
    const { status, complete, body } = await broken.answer()
    expect([status, complete]).toEqual([200, false])
    expect(body.equals(large.subarray(0, body.length))).toBe(true)
    relay.lose(0)
    relay.cutAfter(Number.POSITIVE_INFINITY)
    expect(await (await call('snapshots/large')).bytes()).toEqual(large)
  })

  it('is a 503 if nothing was sent yet', async () => {
    await put(call, 'snapshots/small', randomDocument(200 * KiB))
    relay.cutAfter(100 * KiB)
    const answer = await call('snapshots/small')
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(await refusalOf(answer)).toBe('503 store_unavailable')
  })
})

describe('a download that the store vouches for', () => {
  beforeEach(async () => {
    await start('store')
    await put(call, 'snapshots/large', large)
    relay.requests.length = 0
    relay.cutAfter(12 * MiB)
  })

  it('is cut off when the store closes the connection, and never complete without all bytes', async () => {
    const { status, complete, body } = await (await download()).answer()
    expect([status, complete]).toEqual([200, false])
    expect(body.equals(large.subarray(0, body.length))).toBe(true)
    expect(readsOfBytes()).toHaveLength(1)
  })

  it('is continued by our client', async () => {
    const acme = createDocumentsClient({ url: service.url, tenant: 'acme', token: () => service.token() })
    const { bytes } = await acme.getBytes({ type: 'snapshots', name: 'large' })
    expect(Buffer.from(bytes).equals(large)).toBe(true)
    // The first answer, and one by the service itself for the rest, which it continues.
    expect(readsOfBytes().length).toBeGreaterThan(1)
  })
})
