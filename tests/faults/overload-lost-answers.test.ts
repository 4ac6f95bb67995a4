import { afterAll, afterEach, beforeAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { type FaultyStore, startFaultyStore } from '../support/faults/overload-refusing-store.ts'
import { type Caller, callerOf, type Json, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../support/service/service-for-tests.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'
import { knownCapabilities } from '../support/stores/known-capabilities.ts'
import { storeForTests } from '../support/stores/store.ts'

setDefaultTimeout(600_000)

describe('a store that does its work and then answers 503', () => {
  let store: FaultyStore
  let service: InProcessService
  let call: Caller
  /** The answer to the next request whose line matches is lost. */
  let losing: RegExp | null = null

  beforeAll(async () => {
    store = await startFaultyStore(await storeForTests(), (line) => {
      if (losing === null || !losing.test(line)) return null
      losing = null
      return 'answer lost'
    })
    service = await serviceInProcess({ store })
    call = await callerOf(service)
  })
  afterEach(() => {
    losing = null
  })
  afterAll(async () => {
    await service.stop()
    await store.stop()
  })

  it('has stored a new version, and its writer gets 201', async () => {
    losing = /^PUT \S+\/documents\//
    const answer = await call('snapshots/new', { method: 'PUT', body: 'bytes' })
    expect([answer.status, (await jsonOf(answer)).digest]).toEqual([201, digestOf('bytes')])
    expect(losing).toBeNull()
    expect(await (await call('snapshots/new')).text()).toBe('bytes')
  })

  it('keeps the first writer of a version, and the second gets 200', async () => {
    const first = await put(call, 'snapshots/known', 'bytes')
    losing = /^PUT \S+\/documents\//
    const answer = await call('snapshots/known', { method: 'PUT', body: 'bytes' })
    expect(answer.status).toBe(200)
    expect((await jsonOf(answer)).createdAt).toBe(first.createdAt)
    expect(losing).toBeNull()
  })

  it('has moved latest, once', async () => {
    await put(call, 'snapshots/latest', 'one')
    losing = /^PUT \S+\/records\//
    const { digest } = await put(call, 'snapshots/latest', 'two')
    expect(losing).toBeNull()
    expect(await jsonOf(await call('snapshots/latest/tags/latest'))).toMatchObject({ digest })
  })

  it('has moved a tag with If-Match, and the client that moved it gets 200', async () => {
    const { one, two, etag } = await taggedOne(call, 'snapshots/compared')
    losing = /^PUT \S+\/records\//
    const moved = await move(call, 'snapshots/compared', two, etag)
    expect(losing).toBeNull()
    expect([moved.status, (await jsonOf(moved)).digest]).toEqual([200, two.digest])
    const late = await move(call, 'snapshots/compared', one, etag)
    expect(await refusalOf(late)).toBe('412 precondition_failed')
    // The ETag of that answer is good for the next move.
    expect((await move(call, 'snapshots/compared', one, moved.headers.get('etag') ?? '')).status).toBe(200)
  })
})

describe('a store that answers 500 to the losers of a race, as Ceph RGW 16.2 does', () => {
  let one: InProcessService
  let other: InProcessService

  beforeAll(async () => {
    const capabilities = knownCapabilities('ceph-rgw')
    one = await serviceInProcess({ store: await storeForTests('ceph-rgw'), capabilities })
    other = await serviceInProcess({ replicaOf: one, capabilities })
  })
  afterAll(async () => {
    await other.stop()
    await one.stop()
  })

  async function replicas(): Promise<(racer: number) => Caller> {
    const [first, second] = [await callerOf(one), await callerOf(other)]
    return (racer) => (racer % 2 === 0 ? first : second)
  }

  it('lets exactly one of 32 clients move a tag with the same If-Match', async () => {
    const callOf = await replicas()
    const { one: old, two, etag } = await taggedOne(callOf(0), 'snapshots/raced')
    const digests = await Promise.all(
      Array.from({ length: 30 }, (_, index) => put(callOf(index), 'snapshots/raced', `racer ${index}`)),
    )
    const wanted = [...digests, two, two]
    const answers = await Promise.all(
      wanted.map((document, racer) => move(callOf(racer), 'snapshots/raced', document, etag)),
    )
    const won = answers.filter(({ status }) => status === 200)
    const lost = await Promise.all(answers.filter(({ status }) => status !== 200).map(refusalOf))
    expect(won).toHaveLength(1)
    expect(lost).toEqual(Array.from({ length: 31 }, () => '412 precondition_failed'))
    const { digest } = await jsonOf(won[0] ?? new Response('{}'))
    expect(digest).not.toBe(old.digest)
    expect(await jsonOf(await callOf(1)('snapshots/raced/tags/stable'))).toMatchObject({ digest })
  })

  it('lets exactly one of 32 clients move a tag to the same version', async () => {
    const callOf = await replicas()
    const { two, etag } = await taggedOne(callOf(0), 'snapshots/agreed')
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, racer) => move(callOf(racer), 'snapshots/agreed', two, etag)),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([200, ...Array.from({ length: 31 }, () => 412)])
  })

  it('accepts 32 uploads at once, and latest is one of them', async () => {
    const callOf = await replicas()
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, racer) =>
        callOf(racer)('snapshots/uploaded', { method: 'PUT', body: `racer ${racer}` }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 32 }, () => 201))
    const documents = await Promise.all(answers.map(jsonOf))
    const latest = await jsonOf(await callOf(0)('snapshots/uploaded/tags/latest'))
    expect(documents.map(({ digest }) => digest)).toContain(latest.digest)
  })
})

/** Two versions, and the tag `stable` at the first. */
async function taggedOne(call: Caller, path: string): Promise<{ one: Json; two: Json; etag: string }> {
  const one = await put(call, path, 'one')
  const two = await put(call, path, 'two')
  const { digest } = one
  const tagged = await call(`${path}/tags/stable`, { method: 'PUT', ...jsonBody({ digest }) })
  return { one, two, etag: tagged.headers.get('etag') ?? '' }
}

function move(call: Caller, path: string, { digest }: Json, etag: string): Promise<Response> {
  const { body, headers } = jsonBody({ digest })
  return call(`${path}/tags/stable`, { method: 'PUT', body, headers: { ...headers, 'if-match': etag } })
}
