import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { type Caller, callerOf, jsonOf, put, refusalOf } from '../../support/service/caller.ts'
import { ownChildService } from '../../support/service/own-service.ts'
import { digestOf } from '../../support/service/sample-documents.ts'

setDefaultTimeout(600_000)

const secret = 'what only globex may know'
const globexDocuments = '/v1/tenants/globex/documents'
const theirs = `${globexDocuments}/definitions/plan`

const { service } = await ownChildService()
const acme = await callerOf(service, await service.token({ tenants: ['acme'], sub: 'alice' }))
const globex = await callerOf(service, await service.token({ tenants: ['globex'], sub: 'greta' }))
await put(globex, theirs, secret)
await tag(globex, `${theirs}/tags/production`, digestOf(secret))

function tag(call: Caller, path: string, digest: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return call(path, { method: 'PUT', body: JSON.stringify({ digest }), headers })
}

/** All keys of the bucket below a prefix, as the store itself lists them. */
async function keysBelow(prefix: string): Promise<string[]> {
  return (await service.store.list({ prefix, limit: 1000 })).objects.map(({ key }) => key)
}

describe('a tenant', () => {
  it('lists only its own documents, even if its name begins like another', async () => {
    const names = ['acm', 'acme-2', 'acme2']
    for (const tenant of names) {
      const call = await callerOf(service, await service.token({ tenants: [tenant] }))
      await put(call, `/v1/tenants/${tenant}/documents/definitions/plan`, `of ${tenant}`)
    }
    await put(acme, 'definitions/plan', 'of acme')
    for (const tenant of [...names, 'acme']) {
      const call = await callerOf(service, await service.token({ tenants: [tenant] }))
      const list = await jsonOf(await call(`/v1/tenants/${tenant}/documents`))
      expect(list).toMatchObject({
        documents: [{ tenant, digest: digestOf(`of ${tenant}`) }],
        nextCursor: null,
      })
    }
  })

  it('cannot tell from an upload of its own that another holds the same bytes', async () => {
    const first = await acme('definitions/same', { method: 'PUT', body: secret })
    expect(first.status).toBe(201)
    expect(await jsonOf(first)).toMatchObject({ createdBy: 'alice', tags: ['latest'] })
    const theirVersions = await jsonOf(await globex(`${theirs}/versions`))
    expect(theirVersions.versions).toMatchObject([{ createdBy: 'greta', tags: ['latest', 'production'] }])
  })

  it('cannot point a tag of its own at a version of another', async () => {
    await put(acme, 'definitions/mine', 'mine')
    const response = await tag(acme, 'definitions/mine/tags/stolen', digestOf('known digest of theirs'))
    expect(await refusalOf(response)).toBe('422 version_unknown')
    await put(globex, `${globexDocuments}/definitions/mine`, 'known digest of theirs')
    const again = await tag(acme, 'definitions/mine/tags/stolen', digestOf('known digest of theirs'))
    expect(await refusalOf(again)).toBe('422 version_unknown')
  })

  it('cannot continue the listing of another with its cursor', async () => {
    await put(globex, `${globexDocuments}/definitions/second`, 'second')
    const { nextCursor } = await jsonOf(await globex(`${globexDocuments}?limit=1`))
    expect(await refusalOf(await acme(`?limit=1&cursor=${nextCursor}`))).toBe('422 cursor_invalid')
  })
})

describe('a token for several tenants', () => {
  it('is good for each of them and for no other, with each keeping its own', async () => {
    const both = await callerOf(service, await service.token({ tenants: ['acme', 'globex'] }))
    await put(both, '/v1/tenants/acme/documents/reports/q1', 'of acme')
    expect(await (await both('/v1/tenants/acme/documents/reports/q1')).text()).toBe('of acme')
    expect(await refusalOf(await both(`${globexDocuments}/reports/q1`))).toBe('404 document_not_found')
    expect((await both(theirs)).status).toBe(200)
    expect((await both('/v1/tenants/initech/documents')).status).toBe(404)
  })
})

describe('the bucket', () => {
  it('holds every key of a tenant below that tenant, and none anywhere else', async () => {
    // The probe of the store's behaviour keeps its scratch objects there while it runs.
    const keys = (await keysBelow('')).filter((key) => !key.startsWith('staging/_probe/'))
    expect(keys.length).toBeGreaterThan(5)
    for (const key of keys) expect(key).toMatch(/^tenants\/[a-z0-9-]+\/(documents|records|tagged)\//)
    expect(keys.filter((key) => key.startsWith('tenants/initech/'))).toEqual([])
  })
})
