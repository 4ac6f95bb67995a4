import { describe, expect, it } from 'bun:test'
import { type Json, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'

const count = 55

const { service, call } = await ownService()

const uploaded: Json[] = []
for (let i = 0; i < count; i += 1) uploaded.push(await put(call, 'snapshots/many', `version ${i}`))
await put(call, 'snapshots/two', 'older')
// The store's times are whole seconds.
await Bun.sleep(1100)
await put(call, 'snapshots/two', 'newer')
await call('snapshots/two/tags/v1', {
  method: 'PUT',
  body: JSON.stringify({ digest: digestOf('older') }),
  headers: { 'content-type': 'application/json' },
})

interface Page {
  versions: Json[]
  nextCursor: string | null
}

async function page(query: string, path = 'snapshots/many'): Promise<Page> {
  return (await jsonOf(await call(`${path}/versions${query}`))) as unknown as Page
}

describe('the versions of a document', () => {
  it('come newest first, with tags, content type and who', async () => {
    const response = await call('snapshots/two/versions')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const document = {
      tenant: 'acme',
      type: 'snapshots',
      name: 'two',
      size: 5,
      contentType: 'application/octet-stream',
      createdAt: expect.any(String),
      createdBy: 'alice',
    }
    expect(await jsonOf(response)).toEqual({
      versions: [
        { ...document, digest: digestOf('newer'), tags: ['latest'] },
        { ...document, digest: digestOf('older'), tags: ['v1'] },
      ],
      nextCursor: null,
    })
  })

  it('come in pages of at most 50, and the pages hold each version once', async () => {
    const first = await page('')
    expect(first.versions).toHaveLength(50)
    const second = await page(`?cursor=${first.nextCursor}`)
    expect(second).toMatchObject({ nextCursor: null })
    const digests = [...first.versions, ...second.versions].map(({ digest }) => digest)
    expect(digests.toSorted()).toEqual(uploaded.map(({ digest }) => digest).toSorted())
  })

  it('come in the same order whatever the size of the pages', async () => {
    const atOnce = (await page('')).versions.map(({ digest }) => digest)
    const byTens: unknown[] = []
    let cursor: string | null = ''
    while (byTens.length < 50 && cursor !== null) {
      const next: Page = await page(`?limit=10${cursor && `&cursor=${cursor}`}`)
      byTens.push(...next.versions.map(({ digest }) => digest))
      cursor = next.nextCursor
    }
    expect(byTens).toEqual(atOnce)
  })

  it('cost one listing of the store for all pages, and the first page always a new one', async () => {
    const first = await page('?limit=20')
    service.storeCalls.length = 0
    const second = await page(`?limit=20&cursor=${first.nextCursor}`)
    const third = await page(`?limit=20&cursor=${second.nextCursor}`)
    expect(third).toMatchObject({ nextCursor: null })
    expect(service.storeCalls.filter((name) => name === 'list')).toEqual([])
    await page('?limit=20')
    expect(service.storeCalls.filter((name) => name === 'list')).toEqual(['list'])
  })

  it('leave out what was deleted since the first page', async () => {
    for (const body of ['A', 'B', 'C']) await put(call, 'snapshots/shrinking', body)
    const first = await page('?limit=1', 'snapshots/shrinking')
    const second = await page(`?limit=1&cursor=${first.nextCursor}`, 'snapshots/shrinking')
    const [gone] = second.versions
    await call(`snapshots/shrinking/versions/${gone?.digest}`, { method: 'DELETE' })
    const rest = await page(`?cursor=${first.nextCursor}`, 'snapshots/shrinking')
    expect(rest.versions).toHaveLength(1)
    expect(rest.versions).not.toContainEqual(expect.objectContaining({ digest: gone?.digest }))
  })

  it('cost one HEAD per row and no more', async () => {
    service.storeCalls.length = 0
    await page('?limit=3')
    expect(service.storeCalls.filter((name) => name === 'head')).toHaveLength(3)
  })

  it('are 404 for a name that does not exist', async () => {
    expect(await refusalOf(await call('snapshots/absent/versions'))).toBe('404 document_not_found')
  })

  it('are refused for a limit outside 1–50, and for any text that is no number', async () => {
    for (const limit of ['0', '51', '-1', '1.5', 'ten', '', '1e1', '0x10', '%2010', '+5', 'Infinity']) {
      const response = await call(`snapshots/many/versions?limit=${limit}`)
      expect(`${limit} ${await refusalOf(response)}`).toBe(`${limit} 422 request_invalid`)
    }
    expect((await page('?limit=1')).versions).toHaveLength(1)
    expect((await page('?limit=50')).versions).toHaveLength(50)
  })

  it('are refused for a cursor of another document, of a listing, and a forged one', async () => {
    const { nextCursor } = await page('?limit=1')
    const cursor = nextCursor ?? ''
    const list = (await jsonOf(await call('?type=snapshots&limit=1'))) as { nextCursor?: string }
    const [position = '', signature = ''] = cursor.split('.')
    const forged = [
      `${Buffer.from(`9999 ${digestOf('x')}`).toString('base64url')}.${signature}`,
      `${position}.${signature.slice(1)}`,
      `${position}.`,
      position,
      `${cursor}.x`,
      `${cursor}=`,
      'x',
      list.nextCursor,
    ]
    for (const text of forged) {
      const response = await call(`snapshots/many/versions?cursor=${text}`)
      expect(`${text} ${await refusalOf(response)}`).toBe(`${text} 422 cursor_invalid`)
    }
    const elsewhere = await call(`snapshots/two/versions?cursor=${cursor}`)
    expect(await refusalOf(elsewhere)).toBe('422 cursor_invalid')
    expect((await page(`?limit=1&cursor=${cursor}`)).versions).toHaveLength(1)
  })
})
