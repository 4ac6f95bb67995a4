import { afterEach, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { type Caller, callerOf, put } from '../support/service/caller.ts'
import { KiB, MiB, randomDocument, reprDigestOf } from '../support/service/sample-documents.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'
import { inChunks } from '../support/stores/bodies.ts'
import { storeForTests } from '../support/stores/store.ts'
import { relayTo, type TcpRelay } from '../support/stores/tcp-relay.ts'

setDefaultTimeout(600_000)

const connectionsMax = 8

let relay: TcpRelay
let service: SpawnedService
let call: Caller

/** The service as it runs, with its probe of the store, whose calls count as well. */
beforeEach(async () => {
  const store = await storeForTests()
  relay = relayTo(Number(new URL(store.endpoint).port))
  // Only this service uses the relay.
  const S3_ENDPOINT = `http://127.0.0.1:${relay.port}`
  service = await serviceInChild({
    store,
    env: { S3_ENDPOINT, S3_CONNECTIONS_MAX: String(connectionsMax) },
  })
  call = await callerOf(service)
})
afterEach(async () => {
  await service.stop()
  relay.stop()
})

/** Makes a hundred requests, ten of each kind, and returns the statuses by kind. */
async function crowd(): Promise<Record<string, readonly number[]>> {
  const large = randomDocument(2 * MiB)
  const headers = { 'repr-digest': reprDigestOf(large) }
  const { digest } = await put(call, 'crowds/known', large)
  const tag = { method: 'PUT', ...jsonBody({ digest }) }
  const staged = randomDocument(9 * MiB)
  const kinds: Record<string, (index: number) => Promise<Response>> = {
    written: (index) => call(`crowds/small-${index}`, { method: 'PUT', body: randomDocument(KiB) }),
    streamed: (index) => call(`crowds/large-${index}`, { method: 'PUT', headers, body: large }),
    staged: (index) => call(`crowds/staged-${index}`, { method: 'PUT', body: inChunks(staged) }),
    read: () => call('crowds/known'),
    partlyRead: () => call('crowds/known', { headers: { range: 'bytes=1000-1999' } }),
    looked: () => call('crowds/known', { method: 'HEAD' }),
    listed: () => call('?type=crowds'),
    versions: () => call('crowds/known/versions'),
    tagged: (index) => call(`crowds/known/tags/t${index}`, tag),
    absent: () => call('crowds/absent'),
  }
  const answered = Object.entries(kinds).map(async ([kind, ask]) => {
    const statuses = Array.from({ length: 10 }, async (_, index) => {
      const response = await ask(index)
      await response.arrayBuffer()
      return response.status
    })
    return [kind, [...new Set(await Promise.all(statuses))]] as const
  })
  return Object.fromEntries(await Promise.all(answered))
}

/** Begins a download and aborts it. */
async function givenUp(path: string): Promise<number> {
  const response = await call(path)
  const reader = response.body?.getReader()
  await reader?.read()
  await reader?.cancel()
  return response.status
}

describe('S3_CONNECTIONS_MAX=8', () => {
  it('is never exceeded by a hundred requests of all kinds at once, and all of them are answered', async () => {
    expect(await crowd()).toEqual({
      written: [201],
      streamed: [201],
      staged: [201],
      read: [200],
      partlyRead: [206],
      looked: [200],
      listed: [200],
      versions: [200],
      tagged: [201],
      absent: [404],
    })
    expect(relay.openMax()).toBeLessThanOrEqual(connectionsMax)
    expect(relay.openMax()).toBeGreaterThan(connectionsMax / 2)
    // The idle ones that are kept for the next requests count as well.
    expect(relay.open()).toBeLessThanOrEqual(connectionsMax)
  })

  it('is never exceeded while clients abort their downloads', async () => {
    await put(call, 'crowds/large', randomDocument(16 * MiB))
    const statuses = await Promise.all(Array.from({ length: 50 }, () => givenUp('crowds/large')))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect((await call('crowds/large', { method: 'HEAD' })).status).toBe(200)
    expect(relay.openMax()).toBeGreaterThan(1)
    expect(relay.openMax()).toBeLessThanOrEqual(connectionsMax)
  })
})
