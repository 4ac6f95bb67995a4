import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { nothingKnown } from '../../../service/object-store/store-capabilities.ts'
import { type Caller, jsonOf, put } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import {
  digestOf,
  MiB,
  randomDocument,
  reprDigestOf,
  storedUnder,
} from '../../support/service/sample-documents.ts'
import type { InProcessService } from '../../support/service/service-for-tests.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { type Lies, refusal, startLyingStore } from '../../support/stores/lying-store.ts'

setDefaultTimeout(600_000)

const { service: honest, call: honestCall } = await ownService()

/** Starts a replica whose store answers conditional puts in its own way. */
async function withLies(lies: Lies): Promise<{ service: InProcessService; call: Caller }> {
  const store = stoppedAfterTests(startLyingStore(honest.owner, lies))
  const { service, call } = await ownService({
    replicaOf: { ...honest, connection: { ...honest.connection, endpoint: store.endpoint } },
    capabilities: nothingKnown,
  })
  return { service, call }
}

function upload(call: Caller, name: string, body: Uint8Array<ArrayBuffer>): Promise<Response> {
  const headers = { 'repr-digest': reprDigestOf(body), 'content-type': 'text/plain' }
  return call(`bundles/${name}`, { method: 'PUT', body, headers })
}

function storedBytes(name: string, bytes: Uint8Array) {
  return storedUnder(honest.store, `tenants/acme/documents/bundles/${name}/${digestOf(bytes).slice(7)}`)
}

/** The answer to a request that lost a race, perhaps against a delete (S3 API, PutObject, "ConditionalRequestConflict"). */
const lostRace = () => refusal(409, 'ConditionalRequestConflict')

describe('a store that answers 409 to a conditional put', () => {
  it('has not said that the version exists: the upload is tried again, and is the one that made it', async () => {
    const asked = new Map<string, number>()
    const { call } = await withLies({
      answer({ method, headers, key }) {
        if (method !== 'PUT' || !headers.has('if-none-match')) return null
        asked.set(key, (asked.get(key) ?? 0) + 1)
        return asked.get(key) === 1 ? lostRace() : null
      },
    })
    const body = randomDocument(100)
    const response = await upload(call, 'raced', body)
    expect([response.status, (await jsonOf(response)).tags]).toEqual([201, ['latest']])
    expect(await storedBytes('raced', body)).toEqual({ digest: digestOf(body), size: 100 })
    expect((await honestCall('bundles/raced')).status).toBe(200)
  })

  it('is never believed to have the version, however often it says so: no upload is acknowledged', async () => {
    const { call } = await withLies({
      answer: ({ method, headers, key }) =>
        method === 'PUT' && headers.has('if-none-match') && key.includes('/documents/') ? lostRace() : null,
    })
    for (const body of [randomDocument(100), randomDocument(2 * MiB)]) {
      const response = await upload(call, 'always', body)
      expect([response.status, (await jsonOf(response)).code]).toEqual([503, 'store_unavailable'])
      expect(await storedBytes('always', body)).toBeNull()
    }
    expect((await honestCall('bundles/always')).status).toBe(404)
  })
})

describe('a store that refuses every If-Match', () => {
  it('is found out by the first upload that needs one, which says so and makes few calls', async () => {
    const { service, call } = await withLies({
      answer: ({ method, headers }) =>
        method === 'PUT' && headers.has('if-match') ? refusal(412, 'PreconditionFailed') : null,
    })
    await put(honestCall, 'bundles/refused', 'first')
    service.storeCalls.length = 0
    const response = await upload(call, 'refused', randomDocument(100))
    expect([response.status, (await jsonOf(response)).code]).toEqual([501, 'compare_and_set_unavailable'])
    expect(service.storeCalls.length).toBeLessThanOrEqual(8)
    expect(await (await honestCall('bundles/refused')).text()).toBe('first')
  })
})
