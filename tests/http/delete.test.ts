import { describe, expect, it } from 'bun:test'
import { jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { nextStoreSecond } from '../support/waiting.ts'

const { service, call } = await ownService()

function remove(name: string, body: string): Promise<Response> {
  return call(`definitions/${name}/versions/${digestOf(body)}`, { method: 'DELETE' })
}

function tag(name: string, tag: string, body: string): Promise<Response> {
  return call(`definitions/${name}/tags/${tag}`, {
    method: 'PUT',
    body: JSON.stringify({ digest: digestOf(body) }),
    headers: { 'content-type': 'application/json' },
  })
}

describe('DELETE of a version', () => {
  it('answers 204, and no call finds the version any more', async () => {
    await put(call, 'definitions/gone', 'A')
    await put(call, 'definitions/gone', 'B')
    const response = await remove('gone', 'A')
    expect([response.status, await response.text()]).toEqual([204, ''])
    expect((await call(`definitions/gone/versions/${digestOf('A')}`)).status).toBe(404)
    expect(await jsonOf(await call('definitions/gone/versions'))).toMatchObject({
      versions: [{ digest: digestOf('B') }],
    })
    const list = await jsonOf(await call('?type=definitions&name=gone'))
    expect(list.documents).toMatchObject([{ digest: digestOf('B') }])
  })

  it('answers 404 for a version that is not there', async () => {
    await put(call, 'definitions/twice', 'A')
    expect((await remove('twice', 'A')).status).toBe(204)
    expect(await refusalOf(await remove('twice', 'A'))).toBe('404 document_not_found')
    expect(await refusalOf(await remove('never', 'A'))).toBe('404 document_not_found')
  })

  it('answers 409 while other tags point to the version, and names these tags, not "latest"', async () => {
    await put(call, 'definitions/tagged', 'A')
    await tag('tagged', 'production', 'A')
    await tag('tagged', 'v1', 'A')
    const refused = await remove('tagged', 'A')
    expect(await refusalOf(refused.clone())).toBe('409 version_tagged')
    expect(await jsonOf(refused)).toMatchObject({ tags: ['production', 'v1'] })
    expect((await call('definitions/tagged')).status).toBe(200)
    for (const name of ['production', 'v1'])
      await call(`definitions/tagged/tags/${name}`, { method: 'DELETE' })
    expect((await remove('tagged', 'A')).status).toBe(204)
  })

  it('moves "latest" back to the newest version that remains', async () => {
    for (const body of ['oldest', 'middle', 'newest']) {
      await put(call, 'definitions/falls-back', body)
      // The store's times decide which version is the newest.
      await nextStoreSecond()
    }
    expect((await remove('falls-back', 'newest')).status).toBe(204)
    expect(await (await call('definitions/falls-back')).text()).toBe('middle')
    expect((await remove('falls-back', 'oldest')).status).toBe(204)
    expect(await (await call('definitions/falls-back')).text()).toBe('middle')
  })

  it('removes "latest" with the last version, and the name can be used again', async () => {
    await put(call, 'definitions/last', 'A')
    expect((await remove('last', 'A')).status).toBe(204)
    expect(await refusalOf(await call('definitions/last'))).toBe('404 document_not_found')
    expect(await refusalOf(await call('definitions/last/tags/latest'))).toBe('404 document_not_found')
    expect(await refusalOf(await call('definitions/last/versions'))).toBe('404 document_not_found')
    const prefix = 'tenants/acme/tags/definitions/last/'
    expect((await service.store.list({ prefix, limit: 10 })).objects).toEqual([])
    expect(await put(call, 'definitions/last', 'A')).toMatchObject({ tags: ['latest'] })
    expect((await call('definitions/last')).status).toBe(200)
  })
})
