import { describe, expect, it } from 'bun:test'
import { acme, callerOf, chunked, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf, reprDigestOf } from '../support/service/sample-documents.ts'

const documentBytesMax = 100_000

const { service, call } = await ownService({ documentBytesMax })

/** Keys below the name, so that a test can say that nothing was left. */
async function keysOf(name: string): Promise<string[]> {
  const prefixes = [`tenants/acme/documents/definitions/${name}/`, `tenants/acme/tags/definitions/${name}/`]
  const pages = await Promise.all(
    [...prefixes, 'staging/'].map((prefix) => service.store.list({ prefix, limit: 100 })),
  )
  return pages.flatMap(({ objects }) => objects.map(({ key }) => key))
}

describe('PUT of a document', () => {
  it('answers 201 with the document, its address and its entity tag', async () => {
    const response = await call('definitions/a.json', {
      method: 'PUT',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json; charset=utf-8' },
    })
    expect(response.status).toBe(201)
    const digest = digestOf('{"a":1}')
    expect(response.headers.get('location')).toBe(`${acme}/definitions/a.json/versions/${digest}`)
    expect(response.headers.get('etag')).toBe(`"${digest}"`)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await jsonOf(response)).toEqual({
      tenant: 'acme',
      type: 'definitions',
      name: 'a.json',
      digest,
      size: 7,
      contentType: 'application/json; charset=utf-8',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      createdBy: 'alice',
      tags: ['latest'],
    })
  })

  it('answers 200 with the metadata of the first writer where the bytes are there already', async () => {
    const body = 'the same'
    const first = await put(call, 'definitions/b.txt', body)
    const bob = await callerOf(service, await service.token({ sub: 'bob' }))
    const again = await bob('definitions/b.txt', {
      method: 'PUT',
      body,
      headers: { 'content-type': 'text/plain' },
    })
    expect(again.status).toBe(200)
    expect(await jsonOf(again)).toEqual(first)
    expect(again.headers.get('location')).toBe(`${acme}/definitions/b.txt/versions/${digestOf(body)}`)
  })

  it('takes an empty document, and one without a type as application/octet-stream', async () => {
    const document = await put(call, 'definitions/empty', new Uint8Array())
    expect(document).toMatchObject({ size: 0, digest: digestOf(''), contentType: 'application/octet-stream' })
  })

  it('takes a body in chunks, with and without a digest', async () => {
    const body = 'in two parts'
    const without = await put(call, 'definitions/chunked-1', chunked('in two ', 'parts'))
    expect(without).toMatchObject({ digest: digestOf(body), size: 12 })
    const response = await call('definitions/chunked-2', {
      method: 'PUT',
      body: chunked('in two ', 'parts'),
      headers: { 'repr-digest': reprDigestOf(body) },
    })
    expect(response.status).toBe(201)
  })

  it('takes exactly as many bytes as are allowed', async () => {
    expect(await put(call, 'definitions/full-1', 'x'.repeat(documentBytesMax))).toHaveProperty('digest')
    expect(await put(call, 'definitions/full-2', chunked('x'.repeat(documentBytesMax)))).toHaveProperty(
      'digest',
    )
  })

  it('refuses one byte more with 413, before it calls the store if that was declared, and keeps nothing', async () => {
    const tooMuch = 'x'.repeat(documentBytesMax + 1)
    service.storeCalls.length = 0
    const declared = await call('definitions/over-1', { method: 'PUT', body: tooMuch })
    expect(await refusalOf(declared)).toBe('413 document_too_large')
    expect(service.storeCalls).toEqual([])
    const inChunks = await call('definitions/over-2', { method: 'PUT', body: chunked(tooMuch) })
    expect(await refusalOf(inChunks.clone())).toBe('413 document_too_large')
    expect(await jsonOf(inChunks)).toMatchObject({ bytesMax: documentBytesMax })
    expect([...(await keysOf('over-1')), ...(await keysOf('over-2'))]).toEqual([])
  })

  it('refuses Content-Range, which would make a part of a document the whole', async () => {
    const headers = { 'content-range': 'bytes 0-4/10' }
    const response = await call('definitions/part', { method: 'PUT', body: 'hello', headers })
    expect(await refusalOf(response)).toBe('422 request_invalid')
    expect(await keysOf('part')).toEqual([])
  })

  it('refuses a body with any Content-Encoding except identity', async () => {
    const send = (coding: string) =>
      call('definitions/coded', { method: 'PUT', body: 'hello', headers: { 'content-encoding': coding } })
    expect(await refusalOf(await send('gzip'))).toBe('415 media_type_unsupported')
    expect(await refusalOf(await send('identity, br'))).toBe('415 media_type_unsupported')
    expect((await send('identity')).status).toBe(201)
  })

  it('refuses a Content-Type that is no media type', async () => {
    const send = (type: string) =>
      call('definitions/typed', { method: 'PUT', body: 'hello', headers: { 'content-type': type } })
    expect(await refusalOf(await send('text'))).toBe('422 request_invalid')
    expect(await refusalOf(await send('text/plain; charset'))).toBe('422 request_invalid')
    expect(await refusalOf(await send(`text/${'x'.repeat(300)}`))).toBe('422 request_invalid')
    expect(await keysOf('typed')).toEqual([])
    expect((await send('text/plain; charset=utf-8')).status).toBe(201)
  })

  it('refuses query parameters', async () => {
    const response = await call('definitions/queried?tag=v1', { method: 'PUT', body: 'hello' })
    expect(await refusalOf(response)).toBe('422 request_invalid')
  })
})

describe('Repr-Digest of an upload', () => {
  const body = 'checked bytes'
  const send = (name: string, digest: string) =>
    call(`definitions/${name}`, { method: 'PUT', body, headers: { 'repr-digest': digest } })

  it('is accepted when it agrees, also next to other algorithms', async () => {
    expect((await send('agrees', reprDigestOf(body))).status).toBe(201)
    const sha512 = `sha-512=:${'A'.repeat(86)}==:`
    expect((await send('agrees', `${sha512}, ${reprDigestOf(body)}`)).status).toBe(200)
  })

  it('is read as a structured field, with parameters and members that mean nothing here', async () => {
    const sha512 = `sha-512=:${'A'.repeat(86)}==:;weak`
    const answer = await send('structured', `${sha512}, ${reprDigestOf(body)};q=1, count=5`)
    expect(answer.status).toBe(201)
  })

  it('gets 422 with both digests when it does not agree, and nothing is stored', async () => {
    const response = await send('differs', reprDigestOf('other bytes'))
    expect(await refusalOf(response.clone())).toBe('422 digest_mismatch')
    const problem = { declared: digestOf('other bytes'), found: digestOf(body) }
    expect(await jsonOf(response)).toMatchObject(problem)
    expect(await keysOf('differs')).toEqual([])
    expect((await call('definitions/differs')).status).toBe(404)
  })

  it('gets 422 also for bytes that are stored already, and moves no tag', async () => {
    await put(call, 'definitions/stays', body)
    const { digest } = await put(call, 'definitions/stays', 'newer')
    const response = await send('stays', reprDigestOf('other bytes'))
    expect(await refusalOf(response)).toBe('422 digest_mismatch')
    expect(await jsonOf(await call('definitions/stays/tags/latest'))).toMatchObject({ digest })
  })

  it('gets 422 before the store is called when it is malformed or without sha-256', async () => {
    const [, base64 = ''] = /:(.*):/.exec(reprDigestOf(body)) ?? []
    service.storeCalls.length = 0
    const refused = ['', `sha-256=${base64}`, `sha-512=:${'A'.repeat(86)}==:`]
    for (const digest of refused) {
      expect(`${digest}: ${await refusalOf(await send('malformed', digest))}`).toBe(
        `${digest}: 422 digest_invalid`,
      )
    }
    expect(service.storeCalls).toEqual([])
  })
})

describe('Content-Digest of an upload', () => {
  const body = 'checked bytes'
  const send = (name: string, headers: Record<string, string>) =>
    call(`definitions/${name}`, { method: 'PUT', body, headers })

  it('is checked like Repr-Digest: they are of the same bytes', async () => {
    expect((await send('content', { 'content-digest': reprDigestOf(body) })).status).toBe(201)
    const other = { 'content-digest': reprDigestOf('other bytes') }
    expect(await refusalOf(await send('other-content', other))).toBe('422 digest_mismatch')
    expect(await keysOf('other-content')).toEqual([])
    const malformed = { 'content-digest': 'malformed' }
    expect(await refusalOf(await send('other-content', malformed))).toBe('422 digest_invalid')
  })

  it('is refused where it is not that of Repr-Digest', async () => {
    const headers = { 'content-digest': reprDigestOf('other bytes'), 'repr-digest': reprDigestOf(body) }
    expect(await refusalOf(await send('two-digests', headers))).toBe('422 digest_invalid')
  })
})
