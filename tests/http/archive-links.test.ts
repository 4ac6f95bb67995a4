import { describe, expect, it } from 'bun:test'
import { Type } from '@sinclair/typebox'
import { deriveKey } from '../../service/derived-key.ts'
import { createSealer } from '../../service/documents/ticket-signer.ts'
import { limits } from '../../service/limits.ts'
import { type Caller, callerOf, type Json, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf, KiB, randomDocument } from '../support/service/sample-documents.ts'
import { serviceInProcess } from '../support/service/service-for-tests.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { stagedKeys } from '../support/stores/store-contents.ts'

const { service, call, anyone } = await ownService()
const other = stoppedAfterTests(await serviceInProcess({ replicaOf: service }))
const anyoneElsewhere = await callerOf(other, null)

interface Item {
  type: string
  name: string
  digest: string
}

async function uploaded(name: string, body: string | Uint8Array<ArrayBuffer>): Promise<Item> {
  await put(call, `definitions/${name}`, body)
  return { type: 'definitions', name, digest: digestOf(body) }
}

const asking = (documents: Item[]) => ({ method: 'POST', ...jsonBody({ documents }) })

async function linkTo(documents: Item[], by: Caller = call): Promise<{ url: string; expiresAt: string }> {
  const response = await by('archives', asking(documents))
  expect([response.status, response.headers.get('cache-control')]).toEqual([201, 'no-store'])
  const { url, expiresAt } = await jsonOf(response)
  return { url: String(url), expiresAt: String(expiresAt) }
}

/** What both replicas have logged by now. */
const logged = () => JSON.stringify([...service.logs(), ...other.logs()])

describe('POST of archives', () => {
  it('gives a link that gives the archive once, on any replica, without a token', async () => {
    const items = [await uploaded('a', 'A'), await uploaded('large', randomDocument(300 * KiB))]
    const whole = await (await call('archive', asking(items))).bytes()
    const { url, expiresAt } = await linkTo(items)
    expect((Date.parse(expiresAt) - Date.now()) / 1000).toBeWithin(
      limits.archiveLinkSeconds - 30,
      limits.archiveLinkSeconds + 1,
    )
    const response = await anyoneElsewhere(url)
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      ...{ 'content-type': 'application/x-tar', 'cache-control': 'no-store' },
      ...{ 'content-disposition': 'attachment; filename="documents.tar"', 'referrer-policy': 'no-referrer' },
      'archive-size': String(whole.byteLength),
    })
    expect(digestOf(await response.bytes())).toBe(digestOf(whole))
    for (const ask of [anyone, anyoneElsewhere, call])
      expect(await refusalOf(await ask(url))).toBe('410 link_expired')
    expect(await stagedKeys(service.store)).toEqual([])
  })

  it('gives it to one of many who ask at the same time', async () => {
    const { url } = await linkTo([await uploaded('raced', 'A')])
    const racing = [anyone, anyoneElsewhere].flatMap((ask) => Array.from({ length: 8 }, () => ask(url)))
    const statuses = (await Promise.all(racing)).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, ...Array(15).fill(410)])
  })

  it('is not used up by a HEAD, which says how large the archive is', async () => {
    const items = [await uploaded('headed', 'A')]
    const size = (await (await call('archive', asking(items))).bytes()).byteLength
    const { url } = await linkTo(items)
    const head = await anyone(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('archive-size')]).toEqual([200, String(size)])
    expect((await anyone(url)).status).toBe(200)
    expect((await anyone(url, { method: 'HEAD' })).status).toBe(410)
  })

  it('refuses versions that are absent, and keeps nothing', async () => {
    const there = await uploaded('there', 'A')
    const absent = { ...there, digest: digestOf('never uploaded') }
    const refused = await call('archives', asking([there, absent]))
    expect(await jsonOf(refused)).toMatchObject({ code: 'document_not_found', absent: [absent] })
    expect(await stagedKeys(service.store)).toEqual([])
  })

  it('is not used up while a version is absent, which was deleted since', async () => {
    const item = await uploaded('deleted', 'A')
    const { url } = await linkTo([item])
    await call(`definitions/deleted/versions/${item.digest}`, { method: 'DELETE' })
    expect(await jsonOf(await anyone(url))).toMatchObject({ code: 'document_not_found', absent: [item] })
    await uploaded('deleted', 'A')
    expect((await anyone(url)).status).toBe(200)
  })

  it('asks for the scope of reading', async () => {
    const writer = await callerOf(service, await service.token({ scope: 'documents:write documents:admin' }))
    const refused = await writer('archives', asking([await uploaded('scoped', 'A')]))
    expect(await refusalOf(refused)).toBe('403 scope_missing')
  })
})

describe('a link to an archive', () => {
  it('is refused without a call to the store if it is forged, for another tenant, or too old', async () => {
    const { url } = await linkTo([await uploaded('forged', 'A')])
    const [path, link = ''] = url.split('/archives/')
    const [header, payload, signature = ''] = link.split('.')
    const changed = [header, payload, `${signature.slice(0, -2)}AA`].join('.')
    service.storeCalls.length = 0
    for (const address of [
      `${path}/archives/${changed}`,
      `${path}/archives/forged`,
      `/v1/tenants/globex/archives/${link}`,
    ])
      expect(await refusalOf(await anyone(address))).toBe('404 document_not_found')
    const old = await sealed(new Date(Date.now() - 1000))
    expect(await refusalOf(await anyone(`/v1/tenants/acme/archives/${old}`))).toBe('410 link_expired')
    expect(await refusalOf(await anyone(url, { method: 'DELETE' }))).toBe('405 method_not_allowed')
    expect(await refusalOf(await anyone(`${url}?unknown=1`))).toBe('422 request_invalid')
    expect(service.storeCalls).toEqual([])
    expect((await anyone(url)).status).toBe(200)
  })

  it('is in no line of the log, whatever becomes of it', async () => {
    const { url } = await linkTo([await uploaded('secret', 'A')])
    const link = url.slice(url.lastIndexOf('/') + 1)
    for (const address of [`${url}/`, `${url}/more`, `${url}x`, `${url}?a=b`, url.toUpperCase()])
      await (await anyone(address)).text()
    expect((await anyone(url, { method: 'POST' })).status).toBe(405)
    await (await anyone(url)).text()
    await (await anyoneElsewhere(url)).text()
    for (const part of link.split('.')) expect(logged()).not.toContain(part)
  })

  it('has an audit line for each version when it is given out, and when it is used, by whom it was asked for', async () => {
    const items = [await uploaded('audited-a', 'A'), await uploaded('audited-b', 'B')] as [Item, Item]
    const before = service.logs().length
    const { url } = await linkTo(items)
    await (await anyone(url)).text()
    const lines = service
      .logs()
      .slice(before)
      .filter(({ kind }) => kind === 'audit') as Json[]
    const common = { event: 'access.decided', decision: 'allowed', subject: 'alice', tenant: 'acme' }
    const signedUrl = { id: expect.stringMatching(/^[0-9a-f]{32}$/), expiresAt: expect.any(String) }
    const minted = { ...common, action: 'archive.create', rule: 'url-minted', signedUrl }
    const used = { ...common, action: 'archive.read', rule: 'archive-link' }
    expect(lines).toMatchObject([
      { ...common, action: 'archive.create', rule: 'scope:documents:read' },
      { ...minted, ...items[0] },
      { ...minted, ...items[1] },
      { event: 'access.answered', action: 'archive.create', subject: 'alice', status: 201 },
      used,
      { ...used, ...items[0] },
      { ...used, ...items[1] },
    ])
  })
})

/** Returns a link as the service makes it, with another expiry. */
function sealed(expiresAt: Date): Promise<string> {
  const key = deriveKey(service.connection.secretAccessKey, 'documents/archive-link/v1')
  const options = { type: 'archive-link+jwt', claim: 'archive', schema: Type.Any() }
  return createSealer([key], options).seal(
    { id: '0'.repeat(32), tenant: 'acme', subject: 'alice' },
    expiresAt,
  )
}
