import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import { limits } from '../../service/limits.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { bytesIn, bytesOf, failureOf, MiB, streamOf } from '../support/stores/bodies.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { storeForTests } from '../support/stores/store.ts'
import { relayTo, type TcpRelay } from '../support/stores/tcp-relay.ts'

const contentType = 'application/octet-stream'
// A test that is out of time takes all servers of its process down with it.
let relay: TcpRelay
let store: ReturnType<typeof createS3ObjectStore>

const real = await storeForTests()
const bucket = await freshBucket(real)
const direct = createS3ObjectStore({ ...real, bucket, connectionsMax: 16 })
await direct.put('large', bytesOf(16 * MiB), { size: 16 * MiB, contentType })
await direct.put('small', bytesOf(9), { size: 9, contentType })
for (let index = 0; index < 20; index += 1) {
  await direct.put(`many/${index}`, bytesOf(1), { size: 1, contentType })
}
direct.close()

beforeEach(() => {
  relay = relayTo(Number(new URL(real.endpoint).port))
  store = createS3ObjectStore({
    ...real,
    endpoint: `http://127.0.0.1:${relay.port}`,
    bucket,
    connectionsMax: 2,
  })
})
afterEach(() => {
  store.close()
  relay.stop()
})

describe('S3 object store with two connections', () => {
  it('never opens a third, however many calls are made', async () => {
    const calls = Array.from({ length: 20 }, (_, index) => [
      store.put(`at-once/${index}`, bytesOf(100), { size: 100, contentType }),
      store.get('small').then(bytesIn),
      store.list({ prefix: 'many/', limit: 10 }),
      store.head('small'),
    ])
    expect(await Promise.all(calls.flat())).toHaveLength(80)
    expect(relay.openMax()).toBeLessThanOrEqual(2)
    expect(relay.openMax()).toBeGreaterThan(0)
  })

  it('makes further reads wait until a body is read or cancelled', async () => {
    const first = await store.get('large')
    const second = await store.get('large')
    let third = 'waits'
    const waiting = store.get('small').then((found) => {
      third = 'is open'
      return found
    })
    await Bun.sleep(200)
    expect(third).toBe('waits')
    await first?.body.cancel()
    expect(await bytesIn(await waiting)).toEqual(bytesOf(9))
    expect(await bytesIn(second)).toHaveLength(16 * MiB)
  })

  it('is busy, and not unavailable, if no connection becomes free', async () => {
    const bodies = [await store.get('large'), await store.get('large')]
    await expect(store.head('small')).rejects.toMatchObject({ code: 'busy', reason: 'NoFreeConnection' })
    for (const found of bodies) await found?.body.cancel()
  })

  it('lets a caller give up waiting, and passes its turn on', async () => {
    const bodies = [await store.get('large'), await store.get('large')]
    const abort = new AbortController()
    const reason = new Error('the client went away')
    const impatient = failureOf(store.get('small', { signal: abort.signal }))
    const patient = store.get('small')
    abort.abort(reason)
    expect(await impatient).toBe(reason)
    for (const found of bodies) await found?.body.cancel()
    expect(await bytesIn(await patient)).toEqual(bytesOf(9))
  })
})

describe('S3 object store request by request', () => {
  it('lists with exactly one request', async () => {
    await store.list({ prefix: 'many/', limit: 5, startAfter: 'many/1' })
    expect(relay.requests).toHaveLength(1)
    expect(relay.requests[0]).toStartWith(`GET /${bucket}?`)
  })

  it('puts, gets, heads, deletes and asks for the time with one request each', async () => {
    await store.put('counted', bytesOf(3), { size: 3, contentType })
    await bytesIn(await store.get('counted'))
    await store.head('counted')
    await store.delete('counted')
    await store.clock()
    expect(relay.requests.map((line) => line.split(' ')[0])).toEqual(['PUT', 'GET', 'HEAD', 'DELETE', 'HEAD'])
  })

  it('repeats what a broken connection lost, where it has the whole body', async () => {
    relay.lose(1)
    expect(await store.put('repeated', bytesOf(3), { size: 3, contentType })).not.toBeNull()
    relay.lose(1)
    expect(await bytesIn(await store.get('repeated'))).toEqual(bytesOf(3))
    expect(relay.requests).toHaveLength(4)
  })

  it('gives up after a bounded number of tries', async () => {
    relay.lose(Number.POSITIVE_INFINITY)
    await expect(store.put('lost', bytesOf(3), { size: 3, contentType })).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(relay.requests).toHaveLength(limits.storeAttemptsMax)
    await expect(store.get('small')).rejects.toMatchObject({ code: 'unavailable' })
    expect(relay.requests).toHaveLength(2 * limits.storeAttemptsMax)
  })

  it('never repeats a streamed body', async () => {
    relay.lose(1)
    const put = store.put('streamed', streamOf(bytesOf(3)), { size: 3, contentType })
    await expect(put).rejects.toMatchObject({ code: 'unavailable', operation: 'put' })
    expect(relay.requests).toHaveLength(1)
    expect(await store.head('streamed')).toBeNull()
  })
})

describe('S3 object store whose answers are cut off', () => {
  it('fails the read of a body that does not arrive whole', async () => {
    relay.cutAfter(2 * MiB)
    const found = await store.get('large')
    await expect(bytesIn(found)).rejects.toMatchObject({ code: 'unavailable', operation: 'get' })
  })

  it('gives no page where half a page arrived', async () => {
    relay.cutAfter(1500)
    await expect(store.list({ prefix: 'many/', limit: 20 })).rejects.toMatchObject({
      code: 'unavailable',
      operation: 'list',
    })
  })

  it('frees its connection for the next call', async () => {
    relay.cutAfter(2 * MiB)
    for (let round = 0; round < 5; round += 1) await failureOf(bytesIn(await store.get('large')))
    relay.cutAfter(Number.POSITIVE_INFINITY)
    expect(await bytesIn(await store.get('large'))).toHaveLength(16 * MiB)
  })
})

describe('S3 object store behind another server', () => {
  it('is unavailable where overload is answered with 429 and a page of HTML', async () => {
    // What Hetzner documents, and no server that runs here does.
    let requests = 0
    using overloaded = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch() {
        requests += 1
        return new Response('<html><Code>busy here</Code></html>', {
          status: 429,
          headers: { 'content-type': 'text/html' },
        })
      },
    })
    const endpoint = `http://127.0.0.1:${overloaded.port}`
    const turnedAway = createS3ObjectStore({ ...real, endpoint, bucket, connectionsMax: 2 })
    await expect(turnedAway.get('small')).rejects.toMatchObject({ code: 'unavailable', reason: 'Status429' })
    expect(requests).toBe(limits.storeAttemptsMax)
    await expect(turnedAway.head('small')).rejects.toMatchObject({ code: 'unavailable' })
    const failure = await failureOf(turnedAway.put('key', bytesOf(3), { size: 3, contentType }))
    expect(failure).toMatchObject({ code: 'unavailable' })
    expect(Bun.inspect(failure)).not.toContain('busy here')
    turnedAway.close()
    // The SDK backs off longer from 429 than from broken connections.
  })

  it('does not carry its signature to where a redirect points', async () => {
    let carried = 0
    using elsewhere = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch() {
        carried += 1
        return new Response('not yours')
      },
    })
    const location = `http://127.0.0.1:${elsewhere.port}/`
    using redirecting = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () => new Response(null, { status: 307, headers: { location } }),
    })
    const endpoint = `http://127.0.0.1:${redirecting.port}`
    const sentAway = createS3ObjectStore({ ...real, endpoint, bucket, connectionsMax: 2 })
    await expect(sentAway.get('small')).rejects.toMatchObject({ code: 'rejected' })
    await expect(sentAway.head('small')).rejects.toMatchObject({ code: 'rejected' })
    await expect(sentAway.put('key', bytesOf(3), { size: 3, contentType })).rejects.toMatchObject({
      code: 'rejected',
    })
    expect(carried).toBe(0)
    sentAway.close()
  })
})
