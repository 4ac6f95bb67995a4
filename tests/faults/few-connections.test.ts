import { afterEach, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { type Caller, callerOf, refusalOf } from '../support/service/caller.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import { KiB, MiB, pathOf, randomDocument, reprDigestOf } from '../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../support/service/service-for-tests.ts'
import { inChunks } from '../support/stores/bodies.ts'
import { keysOf } from '../support/stores/store-contents.ts'
import { until } from '../support/waiting.ts'

setDefaultTimeout(600_000)

/** The fewest connections with which promotions do not wait for each other. */
const connectionsMax = 8

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

/** A download that has begun and whose client then stops reading: most of it is still in the store. */
async function stuckDownload(name: string): Promise<RawExchange> {
  const path = pathOf('crowds', name)
  const exchange = await rawRequest(service.url, { method: 'GET', path, headers: { authorization } })
  await until(() => exchange.received() > 0)
  exchange.pause()
  return exchange
}

async function putLarge(): Promise<void> {
  const large = randomDocument(64 * MiB)
  expect(await put('large', large, { 'repr-digest': reprDigestOf(large) })).toBe(201)
  expect(await put('small', randomDocument(KiB))).toBe(201)
}

describe('eight connections to the store', () => {
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
      const downloads = await Promise.all(
        Array.from({ length: connectionsMax }, () => stuckDownload('large')),
      )
      for (const download of downloads) download.reset()
      expect(await get('small')).toBe('200')
    }
  })

  it('answer other requests with 503 in time while slow downloads hold them all', async () => {
    await putLarge()
    const downloads = await Promise.all(Array.from({ length: connectionsMax }, () => stuckDownload('large')))
    const [read, written] = await Promise.all([get('small'), put('new', randomDocument(KiB))])
    expect(read).toBe('503 store_unavailable')
    expect(written).toBe(503)
    expect((await fetch(`${service.url}/livez`)).status).toBe(200)
    // One of them continues to its end: slow clients are served as well, and make room.
    const [first, ...others] = downloads
    first?.resume()
    expect(await first?.answer()).toMatchObject({ status: 200, complete: true })
    expect(await get('small')).toBe('200')
    for (const download of others) download.reset()
  })
})
