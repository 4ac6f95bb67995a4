import { afterEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { limits } from '../../service/limits.ts'
import { marker, startOverload, tooManyRequests } from '../support/faults/overload-scene.ts'
import { jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { jsonBody, ticketCalls } from '../support/service/ticket-calls.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'

setDefaultTimeout(600_000)

const overload = stoppedAfterTests(await startOverload())
const call = overload.call
afterEach(() => overload.recover())

const unavailable = '503 store_unavailable'

function isBytes(path: string): boolean {
  return path.includes('/documents/')
}

async function retryAfterOf(response: Response): Promise<string> {
  return `${await refusalOf(response)}, Retry-After: ${response.headers.get('retry-after')}`
}

describe('a store that answers 429 and a page of HTML twice, and then works', () => {
  it('is not noticed by readers', async () => {
    const { digest } = await put(call, 'snapshots/read', 'bytes')
    overload.refuse(tooManyRequests, 2)
    expect(await (await call('snapshots/read')).text()).toBe('bytes')
    expect(overload.triesMax()).toBe(limits.storeAttemptsMax)
    overload.refuse(tooManyRequests, 2)
    const head = await call(`snapshots/read/versions/${digest}`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '5'])
    expect(overload.triesMax()).toBe(limits.storeAttemptsMax)
  })

  it('is not noticed by clients that list', async () => {
    const { digest } = await put(call, 'snapshots/listed', 'bytes')
    overload.refuse(tooManyRequests, 2)
    const listed = await jsonOf(await call('?type=snapshots&name=listed'))
    expect(listed).toMatchObject({ documents: [{ digest }] })
    expect(overload.asked).toHaveLength(limits.storeAttemptsMax)
  })

  it('is not noticed by uploads that fit into memory', async () => {
    overload.refuse(tooManyRequests, 2)
    expect((await call('snapshots/written', { method: 'PUT', body: 'bytes' })).status).toBe(201)
    // The record is read again after each write that was not answered.
    expect(overload.triesMax()).toBeLessThanOrEqual(2 * limits.storeAttemptsMax)
    overload.recover()
    expect(await (await call('snapshots/written')).text()).toBe('bytes')
  })

  it('is not noticed by moves of a tag', async () => {
    const { digest } = await put(call, 'snapshots/tagged', 'bytes')
    overload.refuse(tooManyRequests, 2)
    const moved = await call('snapshots/tagged/tags/stable', { method: 'PUT', ...jsonBody({ digest }) })
    expect(moved.status).toBe(201)
    expect(overload.triesMax()).toBeLessThanOrEqual(2 * limits.storeAttemptsMax)
  })

  it('is not noticed by deletions', async () => {
    const { digest } = await put(call, 'snapshots/deleted', 'bytes')
    overload.refuse(tooManyRequests, 2)
    expect((await call(`snapshots/deleted/versions/${digest}`, { method: 'DELETE' })).status).toBe(204)
    const removals = overload.asked.filter(({ method, path }) => method === 'DELETE' && isBytes(path))
    expect(removals).toHaveLength(limits.storeAttemptsMax)
    overload.recover()
    expect(await refusalOf(await call('snapshots/deleted'))).toBe('404 document_not_found')
  })

  it('is not noticed by completions of uploads by ticket', async () => {
    const bytes = new TextEncoder().encode('straight to the store')
    const alice = await ticketCalls(overload.service)
    const ticket = await alice.uploaded('completed', bytes)
    overload.refuse(tooManyRequests, 2)
    const completed = await alice.complete('completed', ticket)
    expect([completed.status, (await jsonOf(completed)).digest]).toEqual([201, digestOf(bytes)])
    const publications = overload.asked.filter(({ method, path }) => method === 'PUT' && isBytes(path))
    expect(publications.length).toBeLessThanOrEqual(limits.storeAttemptsMax)
    overload.recover()
    expect(await (await call('bundles/completed')).text()).toBe('straight to the store')
  })
})

describe('a store that keeps answering 429 and a page of HTML', () => {
  it('makes every call a 503 that says when to come back, after a bounded number of tries', async () => {
    const { digest } = await put(call, 'snapshots/refused', 'bytes')
    overload.refuse(tooManyRequests)
    expect(await retryAfterOf(await call('snapshots/refused'))).toBe(`${unavailable}, Retry-After: 5`)
    // The record, and the version at the same time: when one has had its tries, the other has had as many at most.
    expect(overload.triesMax()).toBe(limits.storeAttemptsMax)
    expect(overload.asked.length).toBeLessThanOrEqual(2 * limits.storeAttemptsMax)
    expect(await retryAfterOf(await call('?type=snapshots'))).toBe(`${unavailable}, Retry-After: 5`)
    const written = await call('snapshots/refused', { method: 'PUT', body: 'others' })
    expect(await retryAfterOf(written)).toBe(`${unavailable}, Retry-After: 5`)
    const deleted = await call(`snapshots/refused/versions/${digest}`, { method: 'DELETE' })
    expect(await retryAfterOf(deleted)).toBe(`${unavailable}, Retry-After: 5`)
    const head = await call('snapshots/refused', { method: 'HEAD' })
    expect([head.status, head.headers.get('retry-after')]).toEqual([503, '5'])
    // Three of these calls read the record first.
    expect(overload.triesMax()).toBeLessThanOrEqual(3 * limits.storeAttemptsMax)
    overload.recover()
    expect(await (await call('snapshots/refused')).text()).toBe('bytes')
  })

  it('leaves only the status of that answer in answers and in the log', async () => {
    await put(call, 'snapshots/page', 'bytes')
    overload.refuse(tooManyRequests)
    const answers = [
      await call('snapshots/page'),
      await call('snapshots/page', { method: 'PUT', body: 'others' }),
      await call('snapshots/page', { method: 'PUT', body: new Uint8Array(9_000_000) }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503])
    for (const answer of answers) expect(await answer.text()).not.toContain(marker)
    expect(overload.logged()).toContain('Status429')
    expect(overload.logged()).not.toContain(marker)
    expect(overload.logged()).not.toContain('DOCTYPE')
  })
})

describe('a store that fails in other ways', () => {
  it('is unavailable while it answers 503 SlowDown, and its Retry-After is passed to the client', async () => {
    await put(call, 'snapshots/slow', 'bytes')
    const body =
      '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>'
    const slowDown = { status: 503, contentType: 'application/xml', body }
    overload.refuse({ ...slowDown, headers: { 'Retry-After': '17' } })
    expect(await retryAfterOf(await call('snapshots/slow'))).toBe(`${unavailable}, Retry-After: 17`)
    // Longer than clients wait: they receive it at once. The record and the version are asked for at the same time.
    expect(overload.triesMax()).toBe(1)
    expect(overload.asked.length).toBeLessThanOrEqual(2)
    // The SDK's client makes this call.
    const upload = await call('snapshots/slow', { method: 'PUT', body: new Uint8Array(9_000_000) })
    expect(await retryAfterOf(upload)).toBe(`${unavailable}, Retry-After: 17`)
    expect(overload.logged()).toContain('SlowDown')
    expect(overload.logged()).not.toContain('Reduce your rate')
  })

  it('cannot make clients wait for longer than a minute, nor not at all', async () => {
    await put(call, 'snapshots/longer', 'bytes')
    overload.refuse({ ...tooManyRequests, headers: { 'Retry-After': '86400' } })
    expect(await retryAfterOf(await call('snapshots/longer'))).toBe(`${unavailable}, Retry-After: 60`)
    overload.refuse({ ...tooManyRequests, headers: { 'Retry-After': '0' } })
    expect(await retryAfterOf(await call('snapshots/longer'))).toBe(`${unavailable}, Retry-After: 1`)
    overload.refuse({ ...tooManyRequests, headers: { 'Retry-After': 'tomorrow' } })
    expect(await retryAfterOf(await call('snapshots/longer'))).toBe(`${unavailable}, Retry-After: 5`)
  })

  it('is unavailable while it answers 500, and while a proxy in front of it answers 502', async () => {
    await put(call, 'snapshots/broken', 'bytes')
    const body = '<Error><Code>InternalError</Code></Error>'
    overload.refuse({ status: 500, contentType: 'application/xml', body })
    expect(await refusalOf(await call('snapshots/broken'))).toBe(unavailable)
    expect(overload.logged()).toContain('InternalError')
    overload.refuse({ ...tooManyRequests, status: 502 })
    expect(await refusalOf(await call('snapshots/broken'))).toBe(unavailable)
    const written = await call('snapshots/broken', { method: 'PUT', body: 'others' })
    expect(await refusalOf(written)).toBe(unavailable)
    expect(overload.logged()).toContain('Status502')
    expect(overload.logged()).not.toContain(marker)
  })
})
