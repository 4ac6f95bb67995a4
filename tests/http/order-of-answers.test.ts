import { describe, expect, it } from 'bun:test'
import { ObjectStoreError } from '../../service/object-store/object-store.ts'
import { callerOf, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'

const { service, call } = await ownService({
  documentBytesMax: 1000,
  decorate: (store) => {
    const down = () => Promise.reject(new ObjectStoreError('unavailable', 'test', 'ECONNREFUSED'))
    return {
      ...store,
      put: down,
      get: down,
      getWhole: down,
      head: down,
      list: down,
      startMultipart: down,
      clock: down,
    }
  },
})

const powerless = await callerOf(service, await service.token({ scope: '' }))

const tooMuch = 'x'.repeat(1001)
const tooMuchJson = 'x'.repeat(65 * 1024)
const gzip = { 'content-encoding': 'gzip' }

/** The refusal, if the store was not asked. */
async function refusedEarly(answer: Promise<Response>): Promise<string> {
  service.storeCalls.length = 0
  const refusal = await refusalOf(await answer)
  return service.storeCalls.length === 0 ? refusal : `${refusal} after ${service.storeCalls}`
}

describe('of two things that are wrong with a request', () => {
  it('a bad token comes before a foreign tenant', async () => {
    const unknown = await callerOf(service, 'not-a-token')
    expect(await refusedEarly(unknown('/v1/tenants/globex/documents'))).toBe('401 credentials_invalid')
    expect(await refusedEarly(unknown('/v1/no/such/address'))).toBe('401 credentials_invalid')
  })

  it('a foreign tenant comes before a missing scope', async () => {
    expect(await refusedEarly(powerless('/v1/tenants/globex/documents'))).toBe('404 document_not_found')
  })

  it('a missing scope comes before a wrong method', async () => {
    expect(await refusedEarly(powerless('definitions/a', { method: 'PATCH' }))).toBe('403 scope_missing')
    const reader = await callerOf(service, await service.token({ scope: 'documents:read' }))
    expect(await refusedEarly(reader('definitions/a', { method: 'PATCH' }))).toBe('405 method_not_allowed')
  })

  it('a missing scope comes before a body that is too large, and one that is malformed', async () => {
    const upload = { method: 'PUT', body: tooMuch, headers: gzip }
    expect(await refusedEarly(powerless('definitions/a', upload))).toBe('403 scope_missing')
    expect(await refusedEarly(powerless('definitions/a/tags/.x', { method: 'PUT', body: '' }))).toBe(
      '403 scope_missing',
    )
  })

  it('a wrong method comes before a body that is too large', async () => {
    const patch = { method: 'PATCH', body: tooMuchJson }
    expect(await refusedEarly(call('definitions/a', patch))).toBe('405 method_not_allowed')
    expect(await refusedEarly(call('definitions/a/tags/v1', patch))).toBe('405 method_not_allowed')
  })

  it('a body that is too large comes before its media type', async () => {
    const upload = { method: 'PUT', body: tooMuch, headers: gzip }
    expect(await refusedEarly(call('definitions/a', upload))).toBe('413 document_too_large')
    const move = { method: 'PUT', body: tooMuchJson, headers: { 'content-type': 'text/plain' } }
    expect(await refusedEarly(call('definitions/a/tags/v1', move))).toBe('413 body_too_large')
  })

  it('the media type comes before the form of path, query, headers and body', async () => {
    const upload = { method: 'PUT', body: 'A', headers: { ...gzip, 'repr-digest': 'malformed' } }
    expect(await refusedEarly(call('definitions/.a?x=1&x=2', upload))).toBe('415 media_type_unsupported')
    const move = { method: 'PUT', body: '{}', headers: { 'content-type': 'text/plain' } }
    expect(await refusedEarly(call('definitions/a/tags/.v1?x', move))).toBe('415 media_type_unsupported')
  })

  it('the form comes before a store that is down', async () => {
    expect(await refusedEarly(call('definitions/.a'))).toBe('422 request_invalid')
    expect(await refusedEarly(call('?limit=0'))).toBe('422 request_invalid')
    expect(await refusedEarly(call('?cursor=forged'))).toBe('422 cursor_invalid')
    const headers = { 'repr-digest': 'malformed' }
    expect(await refusedEarly(call('definitions/a', { method: 'PUT', body: 'A', headers }))).toBe(
      '422 digest_invalid',
    )
    const move = { method: 'PUT', body: '{}', headers: { 'content-type': 'application/json' } }
    expect(await refusedEarly(call('definitions/a/tags/v1', move))).toBe('422 request_invalid')
  })
})

describe('a store that is down', () => {
  it('is 503 with Retry-After for what is otherwise right, without its own words', async () => {
    const response = await call(`definitions/a/versions/${digestOf('A')}`)
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await response.clone().text()).not.toContain('ECONNREFUSED')
    expect(await refusalOf(response)).toBe('503 store_unavailable')
    expect(await refusalOf(await call('definitions/a', { method: 'PUT', body: 'A' }))).toBe(
      '503 store_unavailable',
    )
  })

  it('shows in /readyz and not in /livez', async () => {
    expect((await call('/readyz')).status).toBe(503)
    expect((await call('/livez')).status).toBe(200)
  })
})
