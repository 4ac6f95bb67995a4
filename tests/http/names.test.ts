import { describe, expect, it } from 'bun:test'
import { limits } from '../../service/limits.ts'
import { callerOf, type Json, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'

const { service, call } = await ownService()

/** Names that begin alike: some stores list these folders in an order of their own. */
const names = ['orders', 'orders-eu', 'orders.old', 'users']
for (const name of names) await put(call, `bundles/${name}`, `first of ${name}`)
for (let version = 2; version <= 5; version += 1) await put(call, 'bundles/orders', `version ${version}`)
await put(call, 'reports/weekly', 'a report')
await put(call, 'report/x', 'of a type that begins like another one')
await tag('bundles/orders', 'production', digestOf('version 3'))
await tag('bundles/orders', 'constructor', digestOf('version 4'))
const globex = await callerOf(service, await service.token({ tenants: ['globex'] }))
await put(globex, '/v1/tenants/globex/documents/secrets/plan', 'of another tenant')

async function tag(path: string, name: string, digest: string): Promise<void> {
  const response = await call(`${path}/tags/${name}`, { method: 'PUT', ...jsonBody({ digest }) })
  if (!response.ok) throw new Error(await refusalOf(response))
}

async function page(path: string): Promise<Json> {
  const response = await call(path)
  if (!response.ok) throw new Error(`${path}: ${await refusalOf(response)}`)
  return jsonOf(response)
}

/** One member of every row on all pages. */
async function readAll(path: string, list: 'types' | 'names', member: string): Promise<unknown[]> {
  const read: unknown[] = []
  for (let cursor: unknown = ''; cursor !== null; ) {
    const next: Json = await page(`${path}${cursor && `&cursor=${encodeURIComponent(String(cursor))}`}`)
    read.push(...(next[list] as Json[]).map((row) => row[member]))
    cursor = next.nextCursor
  }
  return read
}

describe('the types of a tenant', () => {
  it('are listed once each, however many documents there are, and are its own', async () => {
    const response = await call('types')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await jsonOf(response)).toEqual({
      types: ['bundles', 'report', 'reports'].map((type) => ({ tenant: 'acme', type })),
      nextCursor: null,
    })
    const foreign = await globex('/v1/tenants/globex/documents/types')
    expect(await jsonOf(foreign)).toMatchObject({ types: [{ tenant: 'globex', type: 'secrets' }] })
  })

  it('are visited once each by pages of any size', async () => {
    for (const limit of [1, 2, 3, 1000])
      expect(await readAll(`types?limit=${limit}`, 'types', 'type')).toEqual(['bundles', 'report', 'reports'])
  })

  it('cost one call to the store', async () => {
    service.storeCalls.length = 0
    await page('types')
    expect(service.storeCalls).toEqual(['listPrefixes'])
  })
})

describe('the names of a type', () => {
  it('are listed once each, however many versions there are', async () => {
    const listed = await page('names?type=bundles')
    const rows = (listed.names as Json[]).toSorted((a, b) => (String(a.name) < String(b.name) ? -1 : 1))
    expect(rows).toEqual(names.map((name) => ({ tenant: 'acme', type: 'bundles', name })))
    expect(listed.nextCursor).toBe(null)
    expect(await page('names?type=none')).toEqual({ names: [], nextCursor: null })
  })

  it('are visited once each by pages of any size, also by their beginning', async () => {
    for (const limit of [1, 2, 3, 4, 5])
      expect((await readAll(`names?type=bundles&limit=${limit}`, 'names', 'name')).sort()).toEqual(names)
    const alike = await readAll('names?type=bundles&namePrefix=orders&limit=1', 'names', 'name')
    expect(alike.sort()).toEqual(['orders', 'orders-eu', 'orders.old'])
  })

  it('come with the latest version, as a read of it shows', async () => {
    const { names: rows } = await page('names?type=bundles&include=latest')
    const orders = (rows as Json[]).find(({ name }) => name === 'orders')
    const versions = await page('bundles/orders/versions')
    const latest = (versions.versions as Json[]).find(({ digest }) => digest === digestOf('version 5'))
    expect(orders).toEqual({ tenant: 'acme', type: 'bundles', name: 'orders', latest })
    expect(latest).toMatchObject({ size: 9, tags: ['latest'] })
  })

  it('come with all tags, as the call for one document shows', async () => {
    const { names: rows } = await page('names?type=bundles&include=tags&namePrefix=orders')
    const orders = (rows as Json[]).find(({ name }) => name === 'orders')
    expect(orders).toEqual({
      ...{ tenant: 'acme', type: 'bundles', name: 'orders' },
      tags: (await page('bundles/orders/tags')).tags,
    })
  })

  it('cost the calls that are documented: one, and one or two for each row', async () => {
    const callsOf = async (query: string) => {
      service.storeCalls.length = 0
      await page(`names?type=bundles${query}`)
      return service.storeCalls.toSorted()
    }
    const each = (operation: string) => names.map(() => operation)
    expect(await callsOf('')).toEqual(['listPrefixes'])
    expect(await callsOf('&include=tags')).toEqual([...each('getWhole'), 'listPrefixes'])
    expect(await callsOf('&include=latest')).toEqual([...each('getWhole'), ...each('head'), 'listPrefixes'])
  })

  it('disappear with their last version, and come back with the next one', async () => {
    await put(call, 'short-lived/one', 'A')
    await put(call, 'short-lived/two', 'A')
    const removed = await call(`short-lived/one/versions/${digestOf('A')}`, { method: 'DELETE' })
    expect(removed.status).toBe(204)
    expect(await readAll('names?type=short-lived', 'names', 'name')).toEqual(['two'])
    await put(call, 'short-lived/one', 'A')
    expect(await readAll('names?type=short-lived', 'names', 'name')).toEqual(['one', 'two'])
  })

  it('need a type, and are refused in too large pages with more than the names', async () => {
    expect(await refusalOf(await call('names'))).toBe('422 request_invalid')
    const limit = limits.namesIncludeMax + 1
    const large = await call(`names?type=bundles&include=tags&limit=${limit}`)
    expect(await refusalOf(large)).toBe('422 request_invalid')
    expect((await call(`names?type=bundles&limit=${limit}`)).status).toBe(200)
    expect(await refusalOf(await call('names?type=bundles&include=bytes'))).toBe('422 request_invalid')
  })

  it('continue by a cursor of the same filter alone', async () => {
    const { nextCursor } = await page('names?type=bundles&limit=1')
    const cursor = encodeURIComponent(String(nextCursor))
    for (const query of [
      'names?type=reports',
      'names?type=bundles&namePrefix=o',
      'types?limit=1',
      '?type=bundles',
    ]) {
      const joined = query.includes('?') ? '&' : '?'
      expect(await refusalOf(await call(`${query}${joined}cursor=${cursor}`))).toBe('422 cursor_invalid')
    }
    const foreign = `/v1/tenants/globex/documents/names?type=bundles&cursor=${cursor}`
    expect(await refusalOf(await globex(foreign))).toBe('422 cursor_invalid')
  })
})

describe('the tags of a document', () => {
  it('are listed with where they point, who moved them and when, whatever their names', async () => {
    const response = await call('bundles/orders/tags')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { tags } = await jsonOf(response)
    expect((tags as Json[]).map((row) => [row.tag, row.digest])).toEqual([
      ['constructor', digestOf('version 4')],
      ['latest', digestOf('version 5')],
      ['production', digestOf('version 3')],
    ])
    for (const row of tags as Json[]) {
      const { etag, ...rest } = row
      const one = await call(`bundles/orders/tags/${row.tag}`)
      expect(one.headers.get('etag')).toBe(`"${etag}"`)
      expect(await jsonOf(one)).toEqual(rest)
    }
  })

  it('cost one call to the store', async () => {
    service.storeCalls.length = 0
    await page('bundles/orders/tags')
    expect(service.storeCalls).toEqual(['getWhole'])
  })

  it('are 404 for a document that is not there, or has no version any more', async () => {
    expect(await refusalOf(await call('bundles/none/tags'))).toBe('404 document_not_found')
    await put(call, 'bundles/gone', 'A')
    await call(`bundles/gone/versions/${digestOf('A')}`, { method: 'DELETE' })
    expect(await refusalOf(await call('bundles/gone/tags'))).toBe('404 document_not_found')
  })
})
