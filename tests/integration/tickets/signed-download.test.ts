import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { jsonOf, put, refusalOf } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf, KiB, keyOf, randomDocument } from '../../support/service/sample-documents.ts'
import { jsonBody, ticketCalls } from '../../support/service/ticket-calls.ts'

setDefaultTimeout(600_000)

const { service } = await ownService()
const alice = await ticketCalls(service)

function ask(name: string, digest: string, body?: unknown): Promise<Response> {
  const path = `bundles/${name}/versions/${digest}/downloads`
  return alice.call(path, { method: 'POST', ...(body === undefined ? {} : jsonBody(body)) })
}

/** Uploads a page, which a browser would show if it were let. */
async function uploaded(name: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; digest: string }> {
  const bytes = randomDocument(100 * KiB)
  await alice.call(`bundles/${name}`, {
    method: 'PUT',
    body: bytes,
    headers: { 'content-type': 'text/html' },
  })
  return { bytes, digest: digestOf(bytes) }
}

describe('a signed download', () => {
  it('serves the bytes directly from the store, as an attachment that no cache keeps', async () => {
    const { digest } = await uploaded('page.html')
    const response = await ask('page.html', digest)
    expect(response.status).toBe(201)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const answer = await jsonOf(response)
    expect(Object.keys(answer).sort()).toEqual(['expiresAt', 'url'])
    expect(new URL(String(answer.url)).origin).toBe(service.connection.endpoint)
    const got = await fetch(String(answer.url))
    expect(got.status).toBe(200)
    expect(got.headers.get('content-disposition')).toBe('attachment; filename="page.html"')
    expect(got.headers.get('cache-control')).toBe('private, no-store')
    expect<string>(digestOf(await got.bytes())).toBe(digest)
  })

  it('serves ranges as well', async () => {
    const { bytes, digest } = await uploaded('part')
    const { url } = await jsonOf(await ask('part', digest))
    const got = await fetch(String(url), { headers: { range: 'bytes=100-199' } })
    expect(got.status).toBe(206)
    expect(Buffer.compare(await got.bytes(), bytes.subarray(100, 200))).toBe(0)
  })

  it('is valid for 5 minutes, or as long as was requested up to 15', async () => {
    const { digest } = await uploaded('lives')
    const lifeOf = async (body?: unknown) => {
      const asked = Date.now()
      const { url, expiresAt } = await jsonOf(await ask('lives', digest, body))
      const signed = Number(new URL(String(url)).searchParams.get('X-Amz-Expires'))
      const told = Math.round((Date.parse(String(expiresAt)) - asked) / 1000)
      return Math.abs(told - signed) <= 1 ? signed : `signed for ${signed} s, told ${told} s`
    }
    expect(await lifeOf()).toBe(300)
    expect(await lifeOf({})).toBe(300)
    expect(await lifeOf({ expiresInSeconds: 1 })).toBe(1)
    expect(await lifeOf({ expiresInSeconds: 900 })).toBe(900)
  })

  it('is refused for a longer time, for none, and for anything but a number', async () => {
    const { digest } = await uploaded('bounds')
    const refused = async (body: unknown) => refusalOf(await ask('bounds', digest, body))
    expect(await refused({ expiresInSeconds: 901 })).toBe('422 request_invalid')
    expect(await refused({ expiresInSeconds: 0 })).toBe('422 request_invalid')
    expect(await refused({ expiresInSeconds: -5 })).toBe('422 request_invalid')
    expect(await refused({ expiresInSeconds: 1.5 })).toBe('422 request_invalid')
    expect(await refused({ expiresInSeconds: '60' })).toBe('422 request_invalid')
    expect(await refused({ expiresInSeconds: null })).toBe('422 request_invalid')
    expect(await refused({ expiresInSeconds: 60, disposition: 'inline' })).toBe('422 request_invalid')
    expect(await refused([])).toBe('422 request_invalid')
  })

  it('is not issued for a version that does not exist', async () => {
    await uploaded('there')
    const absent = digestOf(randomDocument(1))
    expect(await refusalOf(await ask('there', absent))).toBe('404 document_not_found')
    expect(await refusalOf(await ask('absent', absent))).toBe('404 document_not_found')
  })

  it('stops when the version is deleted', async () => {
    const { digest } = await uploaded('deleted')
    const { url } = await jsonOf(await ask('deleted', digest))
    await alice.call(`bundles/deleted/versions/${digest}`, { method: 'DELETE' })
    expect((await fetch(String(url))).status).toBe(404)
  })

  it('carries the digest in its key, for the client to check', async () => {
    const bytes = randomDocument(KiB)
    await put(alice.call, 'bundles/checked', bytes)
    const { url } = await jsonOf(await ask('checked', digestOf(bytes)))
    expect(new URL(String(url)).pathname).toEndWith(keyOf('bundles', 'checked', digestOf(bytes)))
  })
})
