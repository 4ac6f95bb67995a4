import { describe, expect, it } from 'bun:test'
import { acme, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { answerTo } from '../support/service/raw-connection.ts'
import { digestOf, reprDigestOf } from '../support/service/sample-documents.ts'

const body = 'twelve bytes'
const digest = digestOf(body)
const version = `diagnostics/Report-1.txt/versions/${digest}`
const etag = `"${digest}"`
/** Larger than what is verified in memory, so that it is streamed. */
const large = new Uint8Array(600_000).fill(7)

const { service, call } = await ownService()

const headers = { 'content-type': 'text/html' }
await call('diagnostics/Report-1.txt', { method: 'PUT', body, headers })
await put(call, 'diagnostics/large', large)

describe('GET of a version', () => {
  it('answers with the bytes and headers that keep them from being run, guessed at, or mistaken for others', async () => {
    const response = await call(version)
    expect(response.status).toBe(200)
    expect(await response.text()).toBe(body)
    const headers = Object.fromEntries(response.headers)
    expect(headers).toMatchObject({
      etag,
      'repr-digest': reprDigestOf(body),
      'content-type': 'text/html',
      'content-disposition': `attachment; filename="Report-1.txt"; filename*=UTF-8''Report-1.txt`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'private, max-age=31536000, immutable',
      vary: 'Authorization',
      'document-size': '12',
      'accept-ranges': 'bytes',
    })
  })

  it('streams a large one whole', async () => {
    const response = await call(`diagnostics/large/versions/${digestOf(large)}`)
    expect(response.headers.get('document-size')).toBe('600000')
    expect(digestOf(await response.bytes())).toBe(digestOf(large))
  })

  it('is 404 for other bytes, another name and another type', async () => {
    const absent = digestOf('never uploaded')
    expect(await refusalOf(await call(`diagnostics/Report-1.txt/versions/${absent}`))).toBe(
      '404 document_not_found',
    )
    expect(await refusalOf(await call(`diagnostics/report-1.txt/versions/${digest}`))).toBe(
      '404 document_not_found',
    )
    expect(await refusalOf(await call(`snapshots/Report-1.txt/versions/${digest}`))).toBe(
      '404 document_not_found',
    )
  })

  it('refuses query parameters and malformed digests with 422', async () => {
    expect(await refusalOf(await call(`${version}?download=1`))).toBe('422 request_invalid')
    expect(await refusalOf(await call(version.toUpperCase()))).toBe('404 route_not_found')
    const malformed = [
      digest.slice(7),
      digest.slice(0, -1),
      digest.toUpperCase(),
      digest.replace('256', '512'),
    ]
    for (const text of malformed) {
      const response = await call(`diagnostics/Report-1.txt/versions/${text}`)
      expect(`${text} ${await refusalOf(response)}`).toBe(`${text} 422 request_invalid`)
    }
  })
})

describe('GET of a document', () => {
  it('answers with the latest version, to be revalidated each time', async () => {
    const response = await call('diagnostics/Report-1.txt')
    expect(response.status).toBe(200)
    expect(await response.text()).toBe(body)
    expect(response.headers.get('cache-control')).toBe('private, no-cache')
    expect(response.headers.get('etag')).toBe(etag)
    expect(response.headers.get('vary')).toBe('Authorization')
  })

  it('answers with the version of another tag, and 404 for a tag that does not exist', async () => {
    await put(call, 'diagnostics/tagged', 'old')
    const move = { method: 'PUT', body: JSON.stringify({ digest: digestOf('old') }) }
    const headers = { 'content-type': 'application/json' }
    expect((await call('diagnostics/tagged/tags/v1.0', { ...move, headers })).status).toBe(201)
    await put(call, 'diagnostics/tagged', 'new')
    expect(await (await call('diagnostics/tagged?tag=v1.0')).text()).toBe('old')
    expect(await (await call('diagnostics/tagged?tag=latest')).text()).toBe('new')
    expect(await refusalOf(await call('diagnostics/tagged?tag=v2.0'))).toBe('404 document_not_found')
  })

  it('is 404 for a document that is not there, and 422 for a malformed or repeated tag', async () => {
    expect(await refusalOf(await call('diagnostics/absent'))).toBe('404 document_not_found')
    expect(await refusalOf(await call('diagnostics/Report-1.txt?tag='))).toBe('422 request_invalid')
    expect(await refusalOf(await call('diagnostics/Report-1.txt?tag=.x'))).toBe('422 request_invalid')
    expect(await refusalOf(await call('diagnostics/Report-1.txt?tag=latest&tag=latest'))).toBe(
      '422 request_invalid',
    )
    expect(await refusalOf(await call('diagnostics/Report-1.txt?TAG=latest'))).toBe('422 request_invalid')
  })
})

describe('HEAD', () => {
  const head = async (path: string, headers: string[] = []) => {
    const lines = [
      `HEAD ${acme}/${path} HTTP/1.1`,
      'Host: documents',
      `Authorization: Bearer ${await service.token()}`,
      ...headers,
    ]
    return answerTo(service.url, `${lines.join('\r\n')}\r\n\r\n`)
  }

  it('answers with the headers of GET and Content-Length for a version, and no body', async () => {
    const answer = await head(version)
    const got = await call(version)
    const { date: _date, 'content-length': _length, ...expected } = Object.fromEntries(got.headers)
    expect(answer?.status).toBe(200)
    expect(answer?.headers).toMatchObject({
      ...expected,
      'content-length': '12',
      traceparent: expect.any(String),
      'x-correlation-id': expect.any(String),
    })
    await got.body?.cancel()
  })

  it('says how large the latest version of a document is, without reading it', async () => {
    service.storeCalls.length = 0
    const answer = await head('diagnostics/large')
    expect(answer?.headers['content-length']).toBe('600000')
    expect(answer?.headers['cache-control']).toBe('private, no-cache')
    // The version that was the latest when this replica saw the record, and the record at the same time.
    expect(service.storeCalls).toEqual(['head', 'getWhole'])
  })

  it('ignores Range, which is for GET alone', async () => {
    const answer = await head(version, ['Range: bytes=0-1'])
    expect([answer?.status, answer?.headers['content-length']]).toEqual([200, '12'])
  })

  it('answers 304 for bytes that the client holds and 404 for absent ones', async () => {
    expect((await head(version, [`If-None-Match: ${etag}`]))?.status).toBe(304)
    expect((await head('diagnostics/absent'))?.status).toBe(404)
  })
})

describe('If-None-Match', () => {
  const get = (condition: string, path = version) => call(path, { headers: { 'if-none-match': condition } })

  it('gets 304 with the validators and without a body for the entity tag of the bytes', async () => {
    const response = await get(etag)
    expect(response.status).toBe(304)
    expect(await response.text()).toBe('')
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag,
      'cache-control': 'private, max-age=31536000, immutable',
      vary: 'Authorization',
    })
  })

  it('compares weakly, takes a list and "*"', async () => {
    expect((await get(`W/${etag}`)).status).toBe(304)
    expect((await get(`"a", "b,c" , W/${etag}`)).status).toBe(304)
    expect((await get('*')).status).toBe(304)
  })

  it('gets the bytes for other entity tags', async () => {
    const response = await get('"other", W/"another"')
    expect([response.status, await response.text()]).toEqual([200, body])
  })

  it('holds for a document under a tag as well', async () => {
    const response = await get(etag, 'diagnostics/Report-1.txt')
    expect([response.status, response.headers.get('cache-control')]).toEqual([304, 'private, no-cache'])
  })

  it('gets 404 for a version that does not exist, whatever it names', async () => {
    const absent = digestOf('not there')
    const path = `diagnostics/Report-1.txt/versions/${absent}`
    expect(await refusalOf(await get('*', path))).toBe('404 document_not_found')
    expect(await refusalOf(await get(`"${absent}"`, path))).toBe('404 document_not_found')
  })

  it('is refused when it is malformed', async () => {
    expect(await refusalOf(await get(digest))).toBe('422 request_invalid')
    expect(await refusalOf(await get(`"a" "b"`))).toBe('422 request_invalid')
  })
})

describe('If-Match', () => {
  const get = (condition: string, path = version) => call(path, { headers: { 'if-match': condition } })

  it('gets the bytes for their entity tag, for a list that has it, and for "*"', async () => {
    expect((await get(etag)).status).toBe(200)
    expect((await get(`"a",${etag}`)).status).toBe(200)
    expect((await get('*')).status).toBe(200)
  })

  it('gets 412 for another or a weak entity tag', async () => {
    expect(await refusalOf(await get('"other"'))).toBe('412 precondition_failed')
    expect(await refusalOf(await get(`W/${etag}`))).toBe('412 precondition_failed')
  })

  it('is checked before If-None-Match', async () => {
    const headers = { 'if-match': '"other"', 'if-none-match': etag }
    expect(await refusalOf(await call(version, { headers }))).toBe('412 precondition_failed')
  })

  it('gets 404 for a version that does not exist (RFC 9110 section 13.2.1)', async () => {
    const path = `diagnostics/Report-1.txt/versions/${digestOf('not there')}`
    expect(await refusalOf(await get('"other"', path))).toBe('404 document_not_found')
  })

  it('is refused when it is malformed, not ignored', async () => {
    expect(await refusalOf(await get('other'))).toBe('422 request_invalid')
    expect(await refusalOf(await get(''))).toBe('422 request_invalid')
  })
})
