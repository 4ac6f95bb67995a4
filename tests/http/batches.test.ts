import { describe, expect, it } from 'bun:test'
import { limits } from '../../service/limits.ts'
import { ObjectStoreError } from '../../service/object-store/object-store.ts'
import { acme, type Call, callerOf, type Json, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'
import { until } from '../support/waiting.ts'

/** Calls to the store about keys of `faulty` fail. */
const isFaulty = (key: string) => key.includes('/definitions/faulty/')
/** What holds the deletions of bytes of `slow-…`, and which have begun. */
let gate: PromiseWithResolvers<void> = Promise.withResolvers()
const slowDeletions: string[] = []

const { service, call } = await ownService({
  decorate: (store) => ({
    ...store,
    async head(key, options) {
      if (isFaulty(key)) throw new ObjectStoreError('rejected', 'test', 'InvalidArgument')
      return store.head(key, options)
    },
    async deleteBefore(key, options) {
      if (key.includes('/definitions/slow-')) {
        slowDeletions.push(key)
        await gate.promise
      }
      return store.deleteBefore(key, options)
    },
  }),
})

interface Item {
  type: string
  name: string
  digest: string
}

const version = (name: string, body: string): Item => ({ type: 'definitions', name, digest: digestOf(body) })
const upload = (name: string, body: string) => put(call, `definitions/${name}`, body)
const tag = (name: string, tag: string, body: string) =>
  call(`definitions/${name}/tags/${tag}`, { method: 'PUT', ...jsonBody({ digest: digestOf(body) }) })
const asking = (documents: Item[], more: Json = {}): Call => ({
  method: 'POST',
  ...jsonBody({ documents, ...more }),
})

/** Asks about many, and returns the rows of the answer. */
async function rowsOf(path: string, documents: Item[], more?: Json): Promise<Json[]> {
  const response = await call(path, asking(documents, more))
  const [rows] = Object.values(await jsonOf(response))
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
  return rows as Json[]
}

/** The audit lines of what `work` does, without what they have in common. */
async function auditOf(work: () => Promise<unknown>): Promise<Json[]> {
  const before = service.logs().length
  await work()
  const lines = service
    .logs()
    .slice(before)
    .filter(({ kind }) => kind === 'audit')
  return lines.map(({ time: _, level, kind, service: _name, clientAddress, traceId, ...line }) => {
    expect([level, kind, clientAddress]).toEqual(['info', 'audit', '127.0.0.1'])
    expect(traceId).toMatch(/^[0-9a-f]{32}$/)
    const { correlationId, ...rest } = line
    expect(correlationId).toBeString()
    return rest
  })
}

/** The longest names that there are. */
const longItems = (count: number): Item[] =>
  Array.from({ length: count }, (_, at) => ({
    type: 'd'.repeat(63),
    name: `${at}`.padStart(128, '0'),
    digest: digestOf('never uploaded'),
  }))

describe('POST of have', () => {
  it('says of each version, in the order of the request, whether the store has its bytes', async () => {
    await upload('kept', 'A')
    const asked = [version('kept', 'B'), version('kept', 'A'), version('other', 'A'), version('kept', 'A')]
    expect(await rowsOf('have', asked)).toEqual([
      { ...version('kept', 'B'), present: false },
      { ...version('kept', 'A'), present: true },
      { ...version('other', 'A'), present: false },
      { ...version('kept', 'A'), present: true },
    ])
    expect(await rowsOf('have', [])).toEqual([])
  })

  it('says what an upload by ticket then answers, which makes the version the latest', async () => {
    await upload('again', 'A')
    await upload('again', 'B')
    expect(await rowsOf('have', [version('again', 'A')])).toMatchObject([{ present: true }])
    expect(await (await call('definitions/again')).text()).toBe('B')
    const ticket = jsonBody({ digest: digestOf('A'), size: 1, contentType: 'text/plain' })
    expect((await call('definitions/again/uploads', { method: 'POST', ...ticket })).status).toBe(200)
    expect(await (await call('definitions/again')).text()).toBe('A')
  })

  it('takes a thousand versions with the longest names, and no more', async () => {
    service.storeCalls.length = 0
    const rows = await rowsOf('have', longItems(1000))
    expect(rows.filter(({ present }) => present === false)).toHaveLength(1000)
    expect(service.storeCalls).toEqual(Array(1000).fill('head'))
    service.storeCalls.length = 0
    const refused = await call('have', asking(longItems(1001)))
    expect(await refusalOf(refused)).toBe('422 request_invalid')
    expect(service.storeCalls).toEqual([])
  })

  it('refuses a body beyond its own limit, with and without a length, and says what it is', async () => {
    const body = JSON.stringify({ documents: [] }).padEnd(limits.haveBodyBytesMax + 1)
    const headers = { 'content-type': 'application/json' }
    const refused = await call('have', { method: 'POST', body, headers })
    expect(await jsonOf(refused)).toMatchObject({ code: 'body_too_large', bytesMax: 512 * 1024 })
    const stream = new Blob([body]).stream()
    const chunked = await call('have', { method: 'POST', body: stream, headers })
    expect(await refusalOf(chunked)).toBe('413 body_too_large')
    expect((await call('have', { method: 'POST', body: body.slice(0, -1), headers })).status).toBe(200)
  })

  it('refuses names without their form, and says which', async () => {
    const refused = await call('have', asking([version('fine', 'A'), version('../..', 'A')]))
    expect(await jsonOf(refused)).toMatchObject({
      code: 'request_invalid',
      errors: [{ in: 'body', pointer: '/documents/1/name' }],
    })
    expect(await refusalOf(await call('have', asking([], { more: 1 })))).toBe('422 request_invalid')
  })

  it('asks for the scope of uploads, and never looks into another tenant', async () => {
    const globex = await callerOf(service, await service.token({ tenants: ['globex'] }))
    const reader = await callerOf(service, await service.token({ scope: 'documents:read documents:admin' }))
    await upload('foreign', 'A')
    service.storeCalls.length = 0
    const asked = asking([version('foreign', 'A')])
    expect(await refusalOf(await globex(`${acme}/have`, asked))).toBe('404 document_not_found')
    expect(await refusalOf(await reader('have', asked))).toBe('403 scope_missing')
    expect(service.storeCalls).toEqual([])
    const elsewhere = await globex('/v1/tenants/globex/documents/have', asked)
    expect(await jsonOf(elsewhere)).toMatchObject({ documents: [{ present: false }] })
  })

  it('fails as a whole if the store fails', async () => {
    const asked = asking([version('kept', 'A'), version('faulty', 'A')])
    expect(await refusalOf(await call('have', asked))).toBe('502 store_refused')
  })
})

describe('POST of downloads', () => {
  it('gives a URL for each version, in the order of the request, and a problem where there is none', async () => {
    await upload('signed', 'A')
    await upload('signed', 'B')
    const asked = [version('signed', 'B'), version('signed', 'C'), version('signed', 'A')]
    const rows = await rowsOf('downloads', asked, { expiresInSeconds: 60 })
    const [first, , last] = structuredClone(rows)
    expect(rows).toMatchObject([
      { ...asked[0], url: expect.any(String), expiresAt: expect.any(String) },
      {
        ...asked[1],
        problem: {
          type: 'urn:cloudlysis:problem:document_not_found',
          title: expect.any(String),
          status: 404,
          detail: expect.any(String),
          code: 'document_not_found',
          traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        },
      },
      { ...asked[2], url: expect.any(String), expiresAt: expect.any(String) },
    ])
    expect(await (await fetch(String(first?.url))).text()).toBe('B')
    expect(await (await fetch(String(last?.url))).text()).toBe('A')
    const left = (Date.parse(String(first?.expiresAt)) - Date.now()) / 1000
    expect(left).toBeWithin(30, 61)
  })

  it('has an audit line for each URL, about its version, before the answer; and none for a version without one', async () => {
    await upload('audited', 'A')
    await upload('other', 'A')
    const asked = [version('audited', 'A'), version('audited', 'B'), version('other', 'A')]
    const lines = await auditOf(() => rowsOf('downloads', asked))
    const common = { action: 'download.create', subject: 'alice', tenant: 'acme' }
    const decided = { event: 'access.decided', decision: 'allowed', ...common }
    const signedUrl = { id: expect.stringMatching(/^[0-9a-f]{32}$/), expiresAt: expect.any(String) }
    const minted = { ...decided, rule: 'url-minted', signedUrl }
    expect(lines.slice(0, 1)).toEqual([{ ...decided, rule: 'scope:documents:read' }])
    expect(lines.slice(1, -1).toSorted((a, b) => String(a.name).localeCompare(String(b.name)))).toEqual([
      { ...minted, ...version('audited', 'A') },
      { ...minted, ...version('other', 'A') },
    ])
    expect(lines.slice(-1)).toEqual([{ event: 'access.answered', ...common, status: 200 }])
    expect(JSON.stringify(service.logs())).not.toContain('X-Amz-Signature')
  })

  it('takes a hundred versions, one call to the store each, and no more', async () => {
    service.storeCalls.length = 0
    expect(await rowsOf('downloads', longItems(100))).toHaveLength(100)
    expect(service.storeCalls).toEqual(Array(100).fill('head'))
    expect(await refusalOf(await call('downloads', asking(longItems(101))))).toBe('422 request_invalid')
  })

  it('answers for the others if the store fails for one, and logs why', async () => {
    await upload('signed', 'A')
    const before = service.logs().length
    const rows = await rowsOf('downloads', [version('faulty', 'A'), version('signed', 'A')])
    expect(rows).toMatchObject([
      { problem: { code: 'store_refused', status: 502 } },
      { url: expect.any(String) },
    ])
    const logged = service
      .logs()
      .slice(before)
      .filter(({ event }) => event === 'request.failed')
    expect(logged).toMatchObject([{ code: 'store_refused' }])
  })
})

describe('POST of delete', () => {
  it('answers for each version, in the order of the request, by the rules of DELETE of one', async () => {
    for (const body of ['A', 'B', 'C']) await upload('many', body)
    await upload('more', 'A')
    await tag('many', 'production', 'B')
    const asked = [version('many', 'C'), version('more', 'A'), version('many', 'B'), version('many', 'D')]
    expect(await rowsOf('delete', asked)).toMatchObject([
      { ...asked[0], status: 204 },
      { ...asked[1], status: 204 },
      { ...asked[2], problem: { code: 'version_tagged', status: 409, tags: ['production'] } },
      { ...asked[3], problem: { code: 'document_not_found', status: 404 } },
    ])
    expect(await (await call('definitions/many')).text()).toBe('B')
    expect((await call('definitions/more')).status).toBe(404)
    expect(await rowsOf('delete', [version('many', 'A')])).toEqual([{ ...version('many', 'A'), status: 204 }])
  })

  it('moves "latest" as deletions one after the other do, and removes it with the last version', async () => {
    const bodies = Array.from({ length: 12 }, (_, at) => `${at}`)
    for (const body of bodies) await upload('emptied', body)
    const asked = bodies.map((body) => version('emptied', body))
    const rows = await rowsOf('delete', asked)
    expect(rows).toEqual(asked.map((item) => ({ ...item, status: 204 })))
    expect(await refusalOf(await call('definitions/emptied'))).toBe('404 document_not_found')
    expect(await upload('emptied', '0')).toMatchObject({ tags: ['latest'] })
  })

  it('has the two audit lines of a DELETE for each version', async () => {
    await upload('recorded', 'A')
    const asked = [version('recorded', 'A'), version('recorded', 'B')] as const
    const lines = await auditOf(() => rowsOf('delete', [...asked]))
    const common = { action: 'version.delete', subject: 'alice', tenant: 'acme' }
    const decided = {
      event: 'access.decided',
      decision: 'allowed',
      rule: 'scope:documents:admin',
      ...common,
    }
    expect(lines).toEqual([
      decided,
      { ...decided, ...asked[0] },
      { event: 'access.answered', ...common, ...asked[0], status: 204 },
      { ...decided, ...asked[1] },
      { event: 'access.answered', ...common, ...asked[1], status: 404, code: 'document_not_found' },
    ])
  })

  it('refuses a version that is there twice, by its place, and deletes nothing', async () => {
    await upload('twice', 'A')
    await upload('twice', 'B')
    const asked = ['A', 'B', 'A'].map((body) => version('twice', body))
    const lines = await auditOf(async () => {
      const refused = await call('delete', asking(asked))
      expect(await jsonOf(refused)).toMatchObject({
        code: 'request_invalid',
        errors: [{ in: 'body', pointer: '/documents/2', message: 'The same version as /documents/0' }],
      })
    })
    expect(lines).toMatchObject([
      { event: 'access.decided', decision: 'allowed' },
      { event: 'access.answered', status: 422, code: 'request_invalid' },
    ])
    expect((await call(`definitions/twice/versions/${digestOf('A')}`)).status).toBe(200)
    expect(await refusalOf(await call('delete', asking(longItems(101))))).toBe('422 request_invalid')
  })

  it('begins no further deletion for a client that has disconnected, and finishes those that have begun', async () => {
    gate = Promise.withResolvers()
    const names = Array.from({ length: limits.deletionsPerRequestMax + 3 }, (_, at) => `slow-${at}`)
    for (const name of names) await upload(name, 'A')
    const client = new AbortController()
    const lines = await auditOf(async () => {
      const asked = asking(names.map((name) => version(name, 'A')))
      const answer = call('delete', { ...asked, signal: client.signal })
      await until(() => slowDeletions.length === limits.deletionsPerRequestMax, 'the deletions')
      client.abort()
      expect(await answer.catch(() => 'aborted')).toBe('aborted')
      await Bun.sleep(100)
      gate.resolve()
      const isAnswered = ({ event, route }: Json) =>
        event === 'request.answered' && String(route).endsWith('/delete')
      await until(() => service.logs().slice(-1).some(isAnswered), 'the end of the request')
    })
    const answered = lines.filter(({ event }) => event === 'access.answered')
    expect(answered.map(({ name, status }) => `${name} ${status}`).toSorted()).toEqual(
      names.slice(0, limits.deletionsPerRequestMax).map((name) => `${name} 204`),
    )
    const statuses = await Promise.all(names.map(async (name) => (await call(`definitions/${name}`)).status))
    expect(statuses).toEqual(names.map((_, at) => (at < limits.deletionsPerRequestMax ? 404 : 200)))
  })

  it('answers for the others if the store fails for one, in the audit as well', async () => {
    await upload('spared', 'A')
    const lines = await auditOf(async () => {
      const rows = await rowsOf('delete', [version('faulty', 'A'), version('spared', 'A')])
      expect(rows).toMatchObject([{ problem: { code: 'store_refused' } }, { status: 204 }])
    })
    const answered = lines.filter(({ event }) => event === 'access.answered')
    expect(answered.map(({ name, status, code }) => ({ name, status, code }))).toContainEqual({
      name: 'faulty',
      status: 502,
      code: 'store_refused',
    })
  })

  it('asks for the scope of deletions', async () => {
    const writer = await callerOf(service, await service.token({ scope: 'documents:read documents:write' }))
    expect(await refusalOf(await writer('delete', asking([version('kept', 'A')])))).toBe('403 scope_missing')
  })
})
