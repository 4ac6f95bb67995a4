import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { callerOf, type Json, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { serviceInProcess } from '../support/service/service-for-tests.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'

setDefaultTimeout(600_000)

const { service, call } = await ownService({ requestsMax: 2 })
const other = await serviceInProcess({ replicaOf: service })
const callOther = await callerOf(other)

for (const content of ['A', 'B']) await put(call, 'bundles/app', content)

async function move(tag: string, content: string, by = call): Promise<string> {
  const { body, headers } = jsonBody({ digest: digestOf(content) })
  const response = await by(`bundles/app/tags/${tag}`, { method: 'PUT', body, headers })
  if (!response.ok) throw new Error(await refusalOf(response))
  return response.headers.get('etag') ?? ''
}

/** Watches a tag from what the caller knows; `undefined`: that it does not exist. */
const watch = (
  tag: string,
  etag?: string,
  { by = call, seconds = 60, signal = AbortSignal.timeout(120_000) } = {},
) =>
  by(`bundles/app/tags/${tag}`, {
    headers: { prefer: `wait=${seconds}`, ...(etag === undefined ? {} : { 'if-none-match': etag }) },
    signal,
  })

async function digestIn(response: Response): Promise<unknown> {
  return ((await jsonOf(response)) as Json).digest
}

describe('reading a tag with If-None-Match', () => {
  it('is 304 while the tag has the ETag, and 200 once it has moved', async () => {
    const etag = await move('read', 'A')
    const read = () => call('bundles/app/tags/read', { headers: { 'if-none-match': etag } })
    const unchanged = await read()
    expect([unchanged.status, unchanged.headers.get('etag'), await unchanged.text()]).toEqual([304, etag, ''])
    const head = await call('bundles/app/tags/read', { method: 'HEAD', headers: { 'if-none-match': etag } })
    expect([head.status, head.headers.get('etag')]).toEqual([304, etag])
    await move('read', 'B')
    expect((await read()).status).toBe(200)
  })
})

describe('watching a tag', () => {
  it('is answered as soon as the tag is moved, by whichever replica', async () => {
    for (const by of [call, callOther]) {
      let etag = await move('production', 'A')
      for (const content of ['B', 'A']) {
        const watching = watch('production', etag, { by })
        await Bun.sleep(100)
        const moved = await move('production', content)
        const answer = await watching
        expect(answer.status).toBe(200)
        expect(answer.headers.get('etag')).toBe(moved)
        expect(await digestIn(answer)).toBe(digestOf(content))
        etag = moved
      }
    }
  })

  it('is answered at once where the caller knows less, when the tag appears, and when it is removed', async () => {
    const etag = await move('canary', 'A')
    expect(await digestIn(await watch('canary'))).toBe(digestOf('A'))
    expect(await digestIn(await watch('canary', '"older"'))).toBe(digestOf('A'))
    const removed = watch('canary', etag, { by: callOther })
    await Bun.sleep(100)
    expect((await call('bundles/app/tags/canary', { method: 'DELETE' })).status).toBe(204)
    expect(await refusalOf(await removed)).toBe('404 document_not_found')
    const appears = watch('canary', undefined, { by: callOther })
    await Bun.sleep(100)
    await move('canary', 'B')
    expect(await digestIn(await appears)).toBe(digestOf('B'))
  })

  it('ends after its time, with 304 or 404, and may ask for longer than it can wait', async () => {
    const etag = await move('still', 'A')
    const ended = await watch('still', etag, { seconds: 1 })
    expect([ended.status, ended.headers.get('etag')]).toEqual([304, etag])
    expect(await refusalOf(await watch('absent', undefined, { seconds: 1 }))).toBe('404 document_not_found')
    const long = watch('still', etag, { seconds: 9999 })
    await move('still', 'B')
    expect((await long).status).toBe(200)
  })

  it('leaves the requests under way to others, and shares its reads of the store', async () => {
    const etag = await move('shared', 'A')
    const watching = Array.from({ length: 50 }, () => watch('shared', etag))
    await Bun.sleep(3000)
    service.storeCalls.length = 0
    await Bun.sleep(3000)
    // One each second, and what a slow machine adds.
    expect(service.storeCalls.length).toBeLessThan(8)
    expect(new Set(service.storeCalls)).toEqual(new Set(['getWhole']))
    // Two requests may be under way here.
    expect((await call('bundles/app/versions')).status).toBe(200)
    await move('shared', 'B')
    expect(new Set((await Promise.all(watching)).map(({ status }) => status))).toEqual(new Set([200]))
  })

  it('is refused beyond the share of a tenant, while other requests are answered', async () => {
    const { service: narrow } = await ownService({ replicaOf: service, watchesMax: 4 })
    const by = await callerOf(narrow)
    const etag = await move('narrow', 'A')
    const left = new AbortController()
    const { signal } = left
    // A lone tenant holds half.
    const waiting = [1, 2].map(() => watch('narrow', etag, { by, signal }).catch(() => null))
    await Bun.sleep(500)
    const refused = await watch('narrow', etag, { by })
    expect(await refusalOf(refused)).toBe('429 too_many_requests')
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect((await by('bundles/app/tags/narrow')).status).toBe(200)
    left.abort()
    await Promise.all(waiting)
    const free = watch('narrow', etag, { by })
    await Bun.sleep(100)
    await move('narrow', 'B')
    expect((await free).status).toBe(200)
  })

  it('is allowed and refused like a read', async () => {
    const foreign = await callerOf(service, await service.token({ tenants: ['globex'] }))
    const writer = await callerOf(service, await service.token({ scope: 'documents:write' }))
    expect(await refusalOf(await watch('production', undefined, { by: foreign }))).toBe(
      '404 document_not_found',
    )
    expect(await refusalOf(await watch('production', undefined, { by: writer }))).toBe('403 scope_missing')
  })

  it('ends when its replica drains, and waits on another one', async () => {
    const { service: leaving } = await ownService({ replicaOf: service })
    const by = await callerOf(leaving)
    const etag = await move('drained', 'A')
    const watching = watch('drained', etag, { by })
    await Bun.sleep(300)
    leaving.drain()
    expect((await watching).status).toBe(304)
    expect((await watch('drained', etag, { by })).status).toBe(304)
  })
})
