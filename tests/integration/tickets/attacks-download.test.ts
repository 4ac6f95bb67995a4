import { afterEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { attackScene } from '../../support/service/attack-scene.ts'
import { jsonOf } from '../../support/service/caller.ts'
import { digestOf, KiB, keyOf, randomDocument } from '../../support/service/sample-documents.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'

setDefaultTimeout(600_000)

const scene = stoppedAfterTests(await attackScene())
// A page whose script would run in the browser that opens it.
const own = new Uint8Array(Buffer.concat([Buffer.from('<script>alert(1)</script>'), randomDocument(KiB)]))
const digest = digestOf(own)
await scene.mallory.call('bundles/page', {
  method: 'PUT',
  body: own,
  headers: { 'content-type': 'text/html' },
})
await scene.remember()

afterEach(async () => {
  expect(await scene.harm()).toEqual([])
})

async function urlOf(body: Record<string, unknown> = {}): Promise<string> {
  const response = await scene.mallory.call(`bundles/page/versions/${digest}/downloads`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  return String((await jsonOf(response)).url)
}

/** What the store answers: refused, the attachment that was signed, or something worse. */
async function outcome(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, { redirect: 'manual', ...init })
  const found = digestOf(new Uint8Array(await response.arrayBuffer()))
  if (found === scene.secret.digest) return 'the bytes of another tenant'
  if (response.status >= 400 && response.status < 500) return 'refused'
  const disposition = response.headers.get('content-disposition')
  const cache = response.headers.get('cache-control')
  const asSigned =
    disposition === 'attachment; filename="page"' &&
    cache === 'private, no-store' &&
    response.headers.get('content-type') === 'text/html'
  return found === digest && asSigned ? 'as signed' : `${response.status}, ${disposition}, ${cache}`
}

describe('the URL of a signed download', () => {
  it('serves the bytes as it is', async () => {
    expect(await outcome(await urlOf())).toBe('as signed')
  })

  it('cannot be turned into a page: no header of the answer can be changed, added or dropped', async () => {
    const url = await urlOf()
    const changed = (name: string, to: string) => url.replace(new RegExp(`${name}=[^&]*`), `${name}=${to}`)
    expect(url).toContain('response-content-disposition=')
    expect(await outcome(changed('response-content-disposition', 'inline'))).toBe('refused')
    expect(await outcome(changed('response-cache-control', 'public'))).toBe('refused')
    expect(await outcome(url.replace(/response-content-disposition=[^&]*&?/, ''))).toBe('refused')
    expect(await outcome(url.replace(/response-cache-control=[^&]*&?/, ''))).toBe('refused')
    expect(await outcome(`${url}&response-content-type=text/javascript`)).toBe('refused')
    expect(await outcome(`${url}&response-content-encoding=gzip`)).toBe('refused')
    expect(await outcome(`${url}&response-content-language=x`)).toBe('refused')
    expect(await outcome(`${url}&response-expires=Thu,%2001%20Jan%202099%2000:00:00%20GMT`)).toBe('refused')
  })

  it('cannot be turned into a page by a repeated parameter', async () => {
    const url = await urlOf()
    const inline = 'response-content-disposition=inline'
    // Stores differ in whether they refuse this or heed what was signed.
    expect(await outcome(`${url}&${inline}`)).toBeOneOf(['refused', 'as signed'])
    expect(await outcome(url.replace('?', `?${inline}&`))).toBeOneOf(['refused', 'as signed'])
    expect(await outcome(`${url}&Response-Content-Disposition=inline`)).toBeOneOf(['refused', 'as signed'])
    const headers = { 'response-content-disposition': 'inline', 'response-content-type': 'text/javascript' }
    expect(await outcome(url, { headers })).toBeOneOf(['refused', 'as signed'])
  })

  it('reads no other key', async () => {
    const url = await urlOf()
    const ownKey = keyOf('bundles', 'page', digest as never)
    const at = (key: string) => url.replace(`docs/${ownKey}`, key)
    expect(at('x')).not.toBe(url)
    expect(await outcome(at(scene.secret.key))).toBe('refused')
    expect(await outcome(at('docs/tenants/globex/records/bundles/secret'))).toBe('refused')
    const climbing = scene.secret.key.slice('docs/'.length)
    expect(await outcome(at(`docs/${ownKey}/../../../../../../${climbing}`))).toBe('refused')
    expect(await outcome(at(`docs/${ownKey}%2f..%2f..%2f..%2f..%2f..%2f..%2f${climbing}`))).toBe('refused')
    expect(await outcome(at(''))).toBe('refused')
  })

  it('permits nothing else: no listing, no access list, no copy', async () => {
    const url = await urlOf()
    expect(await outcome(`${url}&acl`)).toBe('refused')
    expect(await outcome(`${url}&tagging`)).toBe('refused')
    expect(await outcome(`${url}&uploads`)).toBe('refused')
    expect(await outcome(`${url}&list-type=2`)).toBe('refused')
    expect(await outcome(`${url}&versionId=null`)).toBe('refused')
    const headers = { 'x-amz-copy-source': scene.copySource }
    expect(await outcome(url, { headers })).toBeOneOf(['refused', 'as signed'])
    expect(await outcome(url, { method: 'PUT', headers })).toBe('refused')
  })

  it('is refused for PUT, DELETE and POST', async () => {
    const url = await urlOf()
    expect(await outcome(url, { method: 'PUT', body: 'other bytes' })).toBe('refused')
    expect(await outcome(url, { method: 'DELETE' })).toBe('refused')
    expect(await outcome(url, { method: 'POST', body: '<Delete/>' })).toBe('refused')
    expect(await outcome(url)).toBe('as signed')
  })

  it('expires, and cannot be prolonged', async () => {
    const url = await urlOf({ expiresInSeconds: 1 })
    const prolonged = url.replace('X-Amz-Expires=1', 'X-Amz-Expires=900')
    expect(prolonged).not.toBe(url)
    expect(await outcome(prolonged)).toBe('refused')
    await Bun.sleep(2100)
    expect(await outcome(url)).toBe('refused')
    const later = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
    expect(await outcome(url.replace(/X-Amz-Date=[^&]*/, `X-Amz-Date=${later}`))).toBe('refused')
  })

  it('is refused without its signature', async () => {
    const url = await urlOf()
    expect(await outcome(url.split('?')[0] ?? '')).toBe('refused')
    expect(await outcome(url.replace(/X-Amz-Signature=[0-9a-f]+/, 'X-Amz-Signature='))).toBe('refused')
    expect(await outcome(url.replace(/X-Amz-Signature=[0-9a-f]+&?/, ''))).toBe('refused')
    const forged = `X-Amz-Signature=${'0'.repeat(64)}`
    expect(await outcome(url.replace(/X-Amz-Signature=[0-9a-f]+/, forged))).toBe('refused')
  })

  it('is not issued for the document of another tenant', async () => {
    const theirs = `/v1/tenants/globex/documents/bundles/secret/versions/${scene.secret.digest}/downloads`
    expect((await scene.mallory.call(theirs, { method: 'POST' })).status).toBe(404)
    const ownAddress = `bundles/secret/versions/${scene.secret.digest}/downloads`
    expect((await scene.mallory.call(ownAddress, { method: 'POST' })).status).toBe(404)
    expect((await scene.victim.call(theirs, { method: 'POST' })).status).toBe(201)
  })
})
