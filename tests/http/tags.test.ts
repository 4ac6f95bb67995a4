import { describe, expect, it } from 'bun:test'
import { chunked, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'

const { service, call } = await ownService()

function move(path: string, digest: string, headers: Record<string, string> = {}): Promise<Response> {
  return call(path, {
    method: 'PUT',
    body: JSON.stringify({ digest }),
    headers: { 'content-type': 'application/json', ...headers },
  })
}

async function digestAt(path: string): Promise<unknown> {
  return (await jsonOf(await call(path))).digest
}

describe('the tag "latest"', () => {
  it('follows every accepted upload, also back to a version that is there already', async () => {
    const tag = 'definitions/rollback/tags/latest'
    await put(call, 'definitions/rollback', 'A')
    expect(await digestAt(tag)).toBe(digestOf('A'))
    await put(call, 'definitions/rollback', 'B')
    expect(await digestAt(tag)).toBe(digestOf('B'))
    const back = await put(call, 'definitions/rollback', 'A')
    expect(back.tags).toEqual(['latest'])
    expect(await digestAt(tag)).toBe(digestOf('A'))
    expect(await (await call('definitions/rollback')).text()).toBe('A')
  })

  it('is moved by hand like any tag, and by the next upload again', async () => {
    await put(call, 'definitions/by-hand', 'A')
    await put(call, 'definitions/by-hand', 'B')
    expect((await move('definitions/by-hand/tags/latest', digestOf('A'))).status).toBe(200)
    expect(await (await call('definitions/by-hand')).text()).toBe('A')
    await put(call, 'definitions/by-hand', 'C')
    expect(await (await call('definitions/by-hand')).text()).toBe('C')
  })

  it('cannot be removed', async () => {
    await put(call, 'definitions/kept', 'A')
    const response = await call('definitions/kept/tags/latest', { method: 'DELETE' })
    expect(await refusalOf(response)).toBe('409 tag_protected')
    expect(await digestAt('definitions/kept/tags/latest')).toBe(digestOf('A'))
  })
})

describe('a tag', () => {
  it('is 201 when it is new and 200 when it moves, each with its own entity tag', async () => {
    await put(call, 'definitions/moves', 'A')
    await put(call, 'definitions/moves', 'B')
    const created = await move('definitions/moves/tags/production', digestOf('A'))
    expect(created.status).toBe(201)
    expect(created.headers.get('etag')).toMatch(/^"[^"]+"$/)
    expect(created.headers.get('cache-control')).toBe('no-store')
    expect(await jsonOf(created)).toEqual({
      tenant: 'acme',
      type: 'definitions',
      name: 'moves',
      tag: 'production',
      digest: digestOf('A'),
      movedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      movedBy: 'alice',
    })
    const moved = await move('definitions/moves/tags/production', digestOf('B'))
    expect(moved.status).toBe(200)
    expect(moved.headers.get('etag')).not.toBe(created.headers.get('etag'))
  })

  it('is read with the entity tag that its last move gave', async () => {
    await put(call, 'definitions/read', 'A')
    const moved = await move('definitions/read/tags/v1.4.0', digestOf('A'))
    const read = await call('definitions/read/tags/v1.4.0')
    expect([read.status, read.headers.get('etag')]).toEqual([200, moved.headers.get('etag')])
    expect(await jsonOf(read)).toEqual(await jsonOf(moved))
  })

  it('is not made for a version that is not there, which is 422', async () => {
    await put(call, 'definitions/unknown', 'A')
    expect(await refusalOf(await move('definitions/unknown/tags/v1', digestOf('B')))).toBe(
      '422 version_unknown',
    )
    expect(await refusalOf(await call('definitions/unknown/tags/v1'))).toBe('404 document_not_found')
  })

  it('is removed with 204, and then is 404 to read and to remove', async () => {
    await put(call, 'definitions/removed', 'A')
    await move('definitions/removed/tags/v1', digestOf('A'))
    const remove = () => call('definitions/removed/tags/v1', { method: 'DELETE' })
    const removed = await remove()
    expect([removed.status, await removed.text()]).toEqual([204, ''])
    expect(await refusalOf(await remove())).toBe('404 document_not_found')
    expect(await refusalOf(await call('definitions/removed/tags/v1'))).toBe('404 document_not_found')
    expect((await call('definitions/removed')).status).toBe(200)
  })

  it('is read from the record alone, and its document is 404 while its version is gone', async () => {
    await put(call, 'definitions/dangling', 'A')
    await put(call, 'definitions/dangling', 'B')
    await move('definitions/dangling/tags/v1', digestOf('A'))
    // Behind the service's back, as a crash or an operator may.
    await service.store.delete(`tenants/acme/documents/definitions/dangling/${digestOf('A').slice(7)}`)
    expect(await digestAt('definitions/dangling/tags/v1')).toBe(digestOf('A'))
    expect(await refusalOf(await call('definitions/dangling?tag=v1'))).toBe('404 document_not_found')
    expect((await move('definitions/dangling/tags/v1', digestOf('B'))).status).toBe(200)
    expect(await digestAt('definitions/dangling/tags/v1')).toBe(digestOf('B'))
  })

  it('may have the name of something that every JavaScript object has', async () => {
    await put(call, 'definitions/inherited', 'A')
    for (const tag of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const path = `definitions/inherited/tags/${tag}`
      const absent = [await call(path), await call(`definitions/inherited?tag=${tag}`)]
      expect([tag, ...(await Promise.all(absent.map(refusalOf)))]).toEqual([
        tag,
        '404 document_not_found',
        '404 document_not_found',
      ])
      const created = await move(path, digestOf('A'))
      expect([tag, created.status, (await jsonOf(await call(path))).digest]).toEqual([
        tag,
        201,
        digestOf('A'),
      ])
      expect((await call(path, { method: 'DELETE' })).status).toBe(204)
      expect((await call(path)).status).toBe(404)
    }
  })

  it('has a form: leading dots, slashes and more than 128 characters are refused', async () => {
    await put(call, 'definitions/form', 'A')
    for (const tag of ['.hidden', '-v1', 'a%2Fb', 'a%20b', 'v%00', 'x'.repeat(129), '%C3%A4']) {
      const response = await move(`definitions/form/tags/${tag}`, digestOf('A'))
      expect(`${tag} ${await refusalOf(response)}`).toBe(`${tag} 422 request_invalid`)
    }
    expect((await move(`definitions/form/tags/${'x'.repeat(128)}`, digestOf('A'))).status).toBe(201)
    expect((await move('definitions/form/tags/_v1', digestOf('A'))).status).toBe(201)
  })
})

describe('If-Match on a tag', () => {
  it('moves it if it has not moved since, and is 412 if it has', async () => {
    await put(call, 'definitions/cas', 'A')
    await put(call, 'definitions/cas', 'B')
    const path = 'definitions/cas/tags/production'
    const etag = (await move(path, digestOf('A'))).headers.get('etag') ?? ''
    expect((await move(path, digestOf('B'), { 'if-match': etag })).status).toBe(200)
    const stale = await move(path, digestOf('A'), { 'if-match': etag })
    expect(await refusalOf(stale)).toBe('412 precondition_failed')
    expect(await digestAt(path)).toBe(digestOf('B'))
  })

  it('lets exactly one of many racers win', async () => {
    const bodies = Array.from({ length: 8 }, (_, i) => `racer ${i}`)
    for (const body of bodies) await put(call, 'definitions/race', body)
    const path = 'definitions/race/tags/production'
    const etag = (await move(path, digestOf('racer 0'))).headers.get('etag') ?? ''
    const answers = await Promise.all(bodies.map((body) => move(path, digestOf(body), { 'if-match': etag })))
    const won = answers.flatMap(({ status }, i) => (status === 200 ? [digestOf(`racer ${i}`)] : []))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(412)])
    expect([await digestAt(path)]).toEqual(won)
  })

  it('takes a list and "*", compares strongly, and never makes a tag', async () => {
    await put(call, 'definitions/list', 'A')
    const path = 'definitions/list/tags/v1'
    const absent = await move(path, digestOf('A'), { 'if-match': '*' })
    expect(await refusalOf(absent)).toBe('412 precondition_failed')
    const etag = (await move(path, digestOf('A'))).headers.get('etag') ?? ''
    expect((await move(path, digestOf('A'), { 'if-match': '*' })).status).toBe(200)
    const current = (await call(path)).headers.get('etag') ?? ''
    expect((await move(path, digestOf('A'), { 'if-match': `"x", ${current}` })).status).toBe(200)
    const weak = (await call(path)).headers.get('etag') ?? ''
    expect(await refusalOf(await move(path, digestOf('A'), { 'if-match': `W/${weak}` }))).toBe(
      '412 precondition_failed',
    )
    expect(await refusalOf(await move(path, digestOf('A'), { 'if-match': etag.slice(1, -1) }))).toBe(
      '422 request_invalid',
    )
  })

  it('guards the removal, too', async () => {
    await put(call, 'definitions/guarded', 'A')
    const path = 'definitions/guarded/tags/v1'
    const etag = (await move(path, digestOf('A'))).headers.get('etag') ?? ''
    const stale = await call(path, { method: 'DELETE', headers: { 'if-match': '"stale"' } })
    expect(await refusalOf(stale)).toBe('412 precondition_failed')
    expect((await call(path, { method: 'DELETE', headers: { 'if-match': etag } })).status).toBe(204)
  })
})

describe('the body of a tag move', () => {
  const path = 'definitions/body/tags/v1'
  const send = (body: BodyInit, type = 'application/json') =>
    call(path, { method: 'PUT', body, headers: { 'content-type': type } })

  it('is a digest and nothing else', async () => {
    await put(call, 'definitions/body', 'A')
    const digest = digestOf('A')
    expect((await send(JSON.stringify({ digest }), 'application/json; charset=utf-8')).status).toBe(201)
    const refused = [
      '',
      'not json',
      'null',
      '[]',
      '{}',
      JSON.stringify({ digest, force: true }),
      `{"digest":"${digest}","__proto__":{"a":1}}`,
      JSON.stringify({ digest: digest.toUpperCase() }),
      JSON.stringify({ digest: digest.slice(0, -1) }),
      JSON.stringify({ digest: [digest] }),
    ]
    for (const body of refused) {
      expect(`${body} ${await refusalOf(await send(body))}`).toBe(`${body} 422 request_invalid`)
    }
  })

  it('is refused with the place of the fault', async () => {
    const problem = await jsonOf(await send(JSON.stringify({ digest: 'x' })))
    expect(problem.errors).toEqual([{ in: 'body', pointer: '/digest', message: expect.any(String) }])
  })

  it('is refused with 415 in another media type, or with a content coding', async () => {
    const body = JSON.stringify({ digest: digestOf('A') })
    expect(await refusalOf(await send(body, 'text/plain'))).toBe('415 media_type_unsupported')
    expect(await refusalOf(await send(body, 'application/jsonp'))).toBe('415 media_type_unsupported')
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    expect(await refusalOf(await call(path, { method: 'PUT', body, headers }))).toBe(
      '415 media_type_unsupported',
    )
  })

  it('is refused with 413 above 64 KiB, whether its length is declared or not', async () => {
    const long = JSON.stringify({ digest: 'x'.repeat(64 * 1024) })
    expect(await refusalOf(await send(long))).toBe('413 body_too_large')
    expect(await refusalOf(await send(chunked(long)))).toBe('413 body_too_large')
  })
})

describe('a damaged record', () => {
  it('reads as damaged by every tag, and the versions are still read by their digests', async () => {
    const path = 'definitions/damaged'
    await put(call, path, 'bytes')
    const text = new TextEncoder().encode('{"format":')
    const options = { size: text.byteLength, contentType: 'application/json', metadata: {} }
    await service.store.put(`tenants/acme/records/${path}`, text, options)
    expect(await refusalOf(await call(`${path}/tags/latest`))).toBe('500 integrity_violated')
    expect(await refusalOf(await call(path))).toBe('500 integrity_violated')
    expect(await refusalOf(await move(`${path}/tags/latest`, digestOf('bytes')))).toBe(
      '500 integrity_violated',
    )
    expect(await (await call(`${path}/versions/${digestOf('bytes')}`)).text()).toBe('bytes')
  })
})
