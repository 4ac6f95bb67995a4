import { describe, expect, it } from 'bun:test'
import { chunked, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf, reprDigestOf } from '../support/service/sample-documents.ts'

const { call } = await ownService()

await put(call, 'definitions/a', 'A')
const downloads = `definitions/a/versions/${digestOf('A')}/downloads`
const json = { 'content-type': 'application/json' }

describe('a JSON body that may be left out', () => {
  it('is left out by a request without a type whose chunks are empty', async () => {
    const answer = await call(downloads, { method: 'POST', body: chunked() })
    expect(answer.status).toBe(201)
  })

  it('needs its type as soon as there is one', async () => {
    const untyped = await call(downloads, { method: 'POST', body: chunked('{"expiresInSeconds":60}') })
    expect(await refusalOf(untyped)).toBe('415 media_type_unsupported')
    const other = { method: 'POST', body: chunked(), headers: { 'content-type': 'text/plain' } }
    expect(await refusalOf(await call(downloads, other))).toBe('415 media_type_unsupported')
    const typed = { method: 'POST', body: chunked('{"expiresInSeconds":60}'), headers: json }
    expect((await call(downloads, typed)).status).toBe(201)
  })
})

describe('the digest of a JSON body', () => {
  const body = JSON.stringify({ digest: digestOf('A') })
  const move = (headers: Record<string, string>) =>
    call('definitions/a/tags/checked', { method: 'PUT', body, headers: { ...json, ...headers } })

  it('is checked before anything is changed', async () => {
    for (const name of ['repr-digest', 'content-digest']) {
      const wrong = await move({ [name]: reprDigestOf('other') })
      expect(await refusalOf(wrong.clone())).toBe('422 digest_mismatch')
      expect(await jsonOf(wrong)).toMatchObject({ declared: digestOf('other'), found: digestOf(body) })
      expect(await refusalOf(await move({ [name]: 'malformed' }))).toBe('422 digest_invalid')
    }
    expect((await call('definitions/a/tags/checked')).status).toBe(404)
    expect((await move({ 'content-digest': reprDigestOf(body) })).status).toBe(201)
  })
})
