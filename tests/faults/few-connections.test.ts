import { afterEach, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { recordFigure } from '../support/figures.ts'
import { type Caller, callerOf, refusalOf } from '../support/service/caller.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import {
  digestOf,
  KiB,
  MiB,
  pathOf,
  randomDocument,
  reprDigestOf,
} from '../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../support/service/service-for-tests.ts'
import { sizeOf } from '../support/sizes.ts'
import { inChunks } from '../support/stores/bodies.ts'
import { keysOf } from '../support/stores/store-contents.ts'
import { until } from '../support/waiting.ts'

setDefaultTimeout(600_000)

/** In `test` the fewest that can be configured, in `test:long` the default. */
const connectionsMax = sizeOf({ test: 8, long: 64, of: 'connections to the store' })
/** How many of them may read bodies at once: half of those that are not reserved for health checks and the probe. */
const bodiesReadMax = connectionsMax === 8 ? 2 : (connectionsMax * 7) / 16

let service: InProcessService
let call: Caller
let authorization: string

beforeEach(async () => {
  service = await serviceInProcess({ connectionsMax })
  call = await callerOf(service)
  authorization = `Bearer ${await service.token()}`
})

afterEach(() => service.stop())

async function put(name: string, body: BodyInit, headers: Record<string, string> = {}): Promise<number> {
  return (await call(`crowds/${name}`, { method: 'PUT', headers, body })).status
}

async function get(name: string): Promise<string> {
  const response = await call(`crowds/${name}`)
  if (!response.ok) return refusalOf(response)
  await response.body?.cancel()
  return String(response.status)
}

/** A download whose client reads the beginning and then nothing more: most of it is still in the store. */
async function unread(name: string): Promise<RawExchange & { paused: Promise<void> }> {
  const path = pathOf('crowds', name)
  const exchange = await rawRequest(service.url, { method: 'GET', path, headers: { authorization } })
  // One that gets no connection never begins.
  const paused = until(() => exchange.received() > 0).then(exchange.pause, () => {})
  return { ...exchange, paused }
}

const large = randomDocument(64 * MiB)

async function putLarge(): Promise<void> {
  expect(await put('large', large, { 'repr-digest': reprDigestOf(large) })).toBe(201)
  expect(await put('small', randomDocument(KiB))).toBe(201)
}

describe('the connections to the store', () => {
  it('are enough for many staged uploads at once', async () => {
    const bodies = Array.from({ length: 16 }, () => randomDocument(9 * MiB))
    const statuses = await Promise.all(bodies.map((body, index) => put(`staged-${index}`, inChunks(body))))
    expect(statuses).toEqual(bodies.map(() => 201))
    expect(await keysOf(service.store, 'staging/')).toEqual([])
    expect(await keysOf(service.store, 'tenants/acme/documents/')).toHaveLength(16)
  })

  it('are free again when clients abort their downloads', async () => {
    await putLarge()
    for (let round = 0; round < 3; round += 1) {
      const downloads = await Promise.all(Array.from({ length: connectionsMax }, () => unread('large')))
      await until(() => downloads.filter((download) => download.received() > 0).length >= bodiesReadMax)
      for (const download of downloads) download.reset()
      expect(await get('small')).toBe('200')
    }
  })

  it('serve other tenants and health checks while one tenant reads nothing of many downloads', async () => {
    await putLarge()
    const other = await callerOf(service, await service.token({ tenants: ['globex'] }))
    const path = '/v1/tenants/globex/documents/crowds/theirs'
    const theirs = randomDocument(2 * MiB)
    expect((await other(path, { method: 'PUT', body: theirs })).status).toBe(201)
    // More than there are: some of them wait for a connection.
    const downloads = await Promise.all(Array.from({ length: connectionsMax }, () => unread('large')))
    await until(() => downloads.filter((download) => download.received() > 0).length >= bodiesReadMax)
    const startedAt = performance.now()
    const answers = await Promise.all([
      other(path),
      other(path, { method: 'HEAD' }),
      other(`${path}-new`, { method: 'PUT', body: randomDocument(KiB) }),
      other('/v1/tenants/globex/documents'),
      fetch(`${service.url}/readyz`),
      call('crowds/small', { method: 'HEAD' }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 201, 200, 200, 200])
    expect(await answers[0].bytes()).toEqual(theirs)
    const value = Math.round(performance.now() - startedAt)
    recordFigure('connections', { name: 'another tenant is answered after', value, unit: 'ms' })
    for (const download of downloads) download.reset()
  })

  it('let every download of one tenant continue to its end, although its clients pause and others wait', async () => {
    const document = randomDocument(24 * MiB)
    expect(await put('paused', document)).toBe(201)
    const downloads = await Promise.all(Array.from({ length: bodiesReadMax + 1 }, () => unread('paused')))
    await Promise.all(downloads.map(({ paused }) => paused))
    for (const download of downloads) download.resume()
    for (const download of downloads) {
      const { status, complete, body } = await download.answer()
      expect([status, complete, digestOf(body)]).toEqual([200, true, digestOf(document)])
    }
    // A download begins with `getWhole` and continues with `get`.
    expect(service.storeCalls).toContain('get')
  })
})
