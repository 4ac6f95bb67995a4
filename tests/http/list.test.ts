import { describe, expect, it } from 'bun:test'
import { limits } from '../../service/limits.ts'
import { callerOf, type Json, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'

const manyCount = 1203

const { service, call } = await ownService()

for (const name of ['app.tgz', 'app-next.tgz', 'other.tgz']) await put(call, `bundles/${name}`, name)
await put(call, 'bundles/app.tgz', 'a second version')
await put(call, 'reports/app.tgz', 'of another type')
const globex = await callerOf(service, await service.token({ tenants: ['globex'] }))
await put(globex, '/v1/tenants/globex/documents/bundles/app.tgz', 'of another tenant')
await storeMany()

/** Straight into the store: what is listed is what is there, and this is a second instead of a minute. */
async function storeMany(): Promise<void> {
  const remaining = Array.from({ length: manyCount }, (_, i) => i)
  const work = async () => {
    for (let i = remaining.pop(); i !== undefined; i = remaining.pop()) {
      const hex = digestOf(`many ${i}`).slice('sha256:'.length)
      const key = `tenants/acme/documents/many/n${String(i).padStart(5, '0')}/${hex}`
      await service.store.put(key, new Uint8Array(3), { size: 3, contentType: 'text/plain' })
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
}

interface Page {
  documents: Json[]
  nextCursor: string | null
}

async function page(query: string): Promise<Page> {
  const response = await call(query)
  if (!response.ok) throw new Error(`${query}: ${await refusalOf(response)}`)
  return (await jsonOf(response)) as unknown as Page
}

async function namesOf(query: string): Promise<unknown[]> {
  return (await page(query)).documents.map(({ name }) => name)
}

/** Names on all pages, and how many pages there were. */
async function readAll(query: string): Promise<{ names: unknown[]; pages: number }> {
  const names: unknown[] = []
  let pages = 0
  let cursor: string | null = ''
  while (cursor !== null && pages < 100) {
    const next: Page = await page(`${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
    names.push(...next.documents.map(({ name }) => name))
    cursor = next.nextCursor
    pages += 1
  }
  return { names, pages }
}

describe('the listing', () => {
  it('has one item for each version, in the order of the keys', async () => {
    const response = await call('?type=bundles')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { documents, nextCursor } = (await jsonOf(response)) as unknown as Page
    expect(nextCursor).toBe(null)
    expect(documents.map(({ name }) => name)).toEqual(['app-next.tgz', 'app.tgz', 'app.tgz', 'other.tgz'])
    expect(documents[3]).toEqual({
      tenant: 'acme',
      type: 'bundles',
      name: 'other.tgz',
      digest: digestOf('other.tgz'),
      size: 9,
      storedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
    })
  })

  it('is of one tenant, all of its types if none is asked for', async () => {
    const { documents } = await page('?limit=6')
    expect(documents.map(({ tenant }) => tenant)).toEqual(Array(6).fill('acme'))
    expect(documents.map(({ type }) => type)).toEqual([
      'bundles',
      'bundles',
      'bundles',
      'bundles',
      'many',
      'many',
    ])
  })

  it('is by exact name or by the beginning of it, within a type', async () => {
    expect(await namesOf('?type=bundles&name=app.tgz')).toEqual(['app.tgz', 'app.tgz'])
    expect(await namesOf('?type=bundles&namePrefix=app')).toEqual(['app-next.tgz', 'app.tgz', 'app.tgz'])
    expect(await namesOf('?type=bundles&namePrefix=app.')).toEqual(['app.tgz', 'app.tgz'])
    expect(await namesOf('?type=reports&name=app.tgz')).toEqual(['app.tgz'])
    expect(await namesOf('?type=bundle')).toEqual([])
    expect(await namesOf('?type=bundles&name=app')).toEqual([])
  })

  it('comes in pages of 100 unless asked otherwise', async () => {
    const { documents, nextCursor } = await page('?type=many')
    expect([documents.length, typeof nextCursor]).toEqual([100, 'string'])
    expect((await page('?type=many&limit=1000')).documents).toHaveLength(1000)
    expect((await page('?type=many&limit=1')).documents).toHaveLength(1)
  })

  it('holds each of more than a thousand keys once, whatever the size of its pages', async () => {
    const expected = Array.from({ length: manyCount }, (_, i) => `n${String(i).padStart(5, '0')}`)
    expect(await readAll('?type=many&limit=1000')).toEqual({ names: expected, pages: 2 })
    expect(await readAll('?type=many&limit=401')).toEqual({ names: expected, pages: 3 })
    // The last page is full: nothing may follow it.
    expect(manyCount % 401).toBe(0)
  })

  it('costs one call to the store per page, and none per row', async () => {
    service.storeCalls.length = 0
    await readAll('?type=many&limit=1000')
    expect(service.storeCalls).toEqual(['list', 'list'])
    await page('?type=bundles&namePrefix=app')
    expect(service.storeCalls).toEqual(['list', 'list', 'list'])
  })

  it('leaves out what is no version, such as a stray key', async () => {
    const key = 'tenants/acme/documents/strays/a/not-a-digest'
    await service.store.put(key, new Uint8Array(1), { size: 1, contentType: 'text/plain' })
    await put(call, 'strays/a', 'A')
    expect((await page('?type=strays')).documents).toHaveLength(1)
  })
})

describe('a cursor of the listing', () => {
  it('belongs to its tenant', async () => {
    const both = await callerOf(service, await service.token({ tenants: ['acme', 'globex'] }))
    const { nextCursor } = await page('?limit=1')
    const response = await both(`/v1/tenants/globex/documents?limit=1&cursor=${nextCursor}`)
    expect(await refusalOf(response)).toBe('422 cursor_invalid')
  })

  it('belongs to its filter', async () => {
    const { nextCursor } = await page('?type=bundles&limit=1')
    const others = [
      '?',
      '?type=many',
      '?type=bundles&name=app.tgz',
      '?type=bundles&namePrefix=app',
      '?type=reports',
    ]
    for (const query of others) {
      const response = await call(`${query}&limit=1&cursor=${nextCursor}`)
      expect(`${query} ${await refusalOf(response)}`).toBe(`${query} 422 cursor_invalid`)
    }
    // The size of the page is no part of it.
    expect((await page(`?type=bundles&limit=3&cursor=${nextCursor}`)).documents).toHaveLength(3)
  })

  it('cannot be made up or changed', async () => {
    const { nextCursor } = await page('?type=bundles&limit=1')
    const cursor = nextCursor ?? ''
    const signature = cursor.split('.')[1]
    const forged = [
      `${Buffer.from('zzz').toString('base64url')}.${signature}`,
      `${cursor.slice(0, -1)}${cursor.endsWith('A') ? 'B' : 'A'}`,
      `${cursor}A`,
      `${cursor}=`,
      `.${signature}`,
      'tenants/globex/documents/',
      '../../../globex/documents/bundles/',
      '%00',
      '.',
    ]
    for (const text of forged) {
      const response = await call(`?type=bundles&limit=1&cursor=${text}`)
      expect(`${text} ${await refusalOf(response)}`).toBe(`${text} 422 cursor_invalid`)
    }
  })

  it('tells nothing beyond what its holder was shown', async () => {
    const { nextCursor } = await page('?type=bundles&limit=1')
    const [position = ''] = (nextCursor ?? '').split('.')
    const text = Buffer.from(position, 'base64url').toString('latin1')
    expect(text).not.toMatch(/tenants|app-next|documents/)
  })
})

describe('the listing with bad parameters', () => {
  const refused = async (queries: string[]) => {
    for (const query of queries) {
      expect(`${query} ${await refusalOf(await call(query))}`).toBe(`${query} 422 request_invalid`)
    }
  }

  it('refuses a limit outside 1–1000, and any text that is no whole number', async () => {
    await refused(['?limit=0', '?limit=1001', '?limit=-1', '?limit=1.5', '?limit=ten', '?limit='])
    await refused(['?limit=1e2', '?limit=0x10', '?limit=%2B5', '?limit=05', '?limit=99999999999999999999'])
  })

  it('refuses a filter by name without a type, or by both kinds of name', async () => {
    await refused(['?name=a', '?namePrefix=a', '?type=bundles&name=a&namePrefix=a'])
  })

  it('refuses malformed filters', async () => {
    await refused(['?type=Bundles', '?type=', '?type=a%2Fb', '?type=bundles&name=..', '?type=bundles&name='])
    await refused(['?type=bundles&namePrefix=', '?type=bundles&namePrefix=a%2F', '?cursor='])
    await refused([`?cursor=${'x'.repeat(limits.cursorCharsMax + 1)}`, `?type=${'x'.repeat(64)}`])
  })

  it('refuses unknown parameters', async () => {
    await refused(['?prefix=a', '?Type=bundles', '?type[]=bundles', '?__proto__=a', '?constructor=a', '?x'])
  })

  it('refuses parameters that come twice', async () => {
    await refused(['?type=bundles&type=bundles', '?limit=1&limit=2', '?type=bundles&typ%65=reports'])
  })
})
