import { describe, expect, it } from 'bun:test'
import { acme, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'

const { service, call, anyone } = await ownService()

await put(call, 'definitions/a', 'A')

describe('a refusal', () => {
  it('is a problem document (RFC 9457) with a stable code and the trace id', async () => {
    const response = await call('definitions/absent')
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(0)
    expect(await jsonOf(response)).toEqual({
      type: 'urn:cloudlysis:problem:document_not_found',
      title: 'There is no such document',
      status: 404,
      detail: 'There is no such document.',
      code: 'document_not_found',
      traceId: response.headers.get('traceparent')?.split('-')[1],
    })
  })
})

describe('an unknown address', () => {
  it('is 404 below the API for callers with a token', async () => {
    const unknown = [
      '/v1',
      '/v1/',
      '/v1/tenants',
      '/v1/tenants/acme',
      `${acme}/`,
      `${acme}/definitions`,
      `${acme}/definitions/a/`,
      `${acme}/definitions/a/version`,
      `${acme}/definitions/a/versions/`,
      `${acme}/definitions/a/versions/${digestOf('A')}/x`,
      `${acme}/definitions/a/tags/`,
      `${acme}//definitions/a`,
      '/v1/tenants/acme/%64ocuments/definitions/a',
      '/v1/tenants/acme/Documents/definitions/a',
    ]
    for (const path of unknown) {
      expect(`${path} ${await refusalOf(await call(path))}`).toBe(`${path} 404 route_not_found`)
    }
  })

  it('is 404 outside of the API, without a token too', async () => {
    for (const path of ['/v2/tenants/acme/documents', '/admin', '/livez/', '/.env', '/V1/tenants']) {
      expect(`${path} ${await refusalOf(await anyone(path))}`).toBe(`${path} 404 route_not_found`)
    }
  })
})

describe('a method that the address does not know', () => {
  const tried = async (method: string, path: string) => {
    const response = await call(path, { method })
    const code = method === 'HEAD' ? String(response.status) : await refusalOf(response)
    return `${code} ${response.headers.get('allow')}`
  }

  it('is 405, and Allow names those that it knows', async () => {
    expect(await tried('POST', acme)).toBe('405 method_not_allowed HEAD, GET')
    expect(await tried('HEAD', 'definitions/a/uploads')).toBe('405 POST')
    expect(await tried('DELETE', 'definitions/a')).toBe('405 method_not_allowed PUT, HEAD, GET')
    expect(await tried('PATCH', 'definitions/a')).toBe('405 method_not_allowed PUT, HEAD, GET')
    expect(await tried('OPTIONS', 'definitions/a')).toBe('405 method_not_allowed PUT, HEAD, GET')
    expect(await tried('PUT', 'definitions/a/versions')).toBe('405 method_not_allowed HEAD, GET')
    const version = `definitions/a/versions/${digestOf('A')}`
    expect(await tried('PUT', version)).toBe('405 method_not_allowed HEAD, GET, DELETE')
    expect(await tried('POST', 'definitions/a/tags/v1')).toBe('405 method_not_allowed HEAD, GET, PUT, DELETE')
  })

  it('is 405 on public pages', async () => {
    expect(await tried('POST', '/livez')).toBe('405 method_not_allowed GET, HEAD')
    expect(await tried('DELETE', '/readyz')).toBe('405 method_not_allowed GET, HEAD')
  })
})

describe('a malformed part of the address', () => {
  it('is 422 and names the part, before the store is called', async () => {
    const names = [
      'a%2Fb',
      'a%00',
      '%2e%2e%2fa',
      '..%2Fa',
      '%C3%A4',
      '-a',
      '.a',
      'a b',
      'a%0Ab',
      '%zz',
      '%ff',
      '%',
    ]
    service.storeCalls.length = 0
    for (const name of [...names, 'x'.repeat(129), `${'x'.repeat(5000)}`]) {
      const response = await call(`definitions/${name}`)
      const problem = await jsonOf(response)
      expect([name, response.status, problem.code]).toEqual([name, 422, 'request_invalid'])
      expect(problem.errors).toMatchObject([{ in: 'path', pointer: '/name' }])
      expect(Number(response.headers.get('content-length'))).toBeGreaterThan(0)
    }
    for (const type of ['Definitions', '1a', 'a_b', 'a.b', `${'x'.repeat(64)}`, '%00']) {
      const response = await call(`${type}/a`)
      expect([type, await refusalOf(response)]).toEqual([type, '422 request_invalid'])
    }
    expect(service.storeCalls).toEqual([])
  })

  it('leads where the client resolves its dots to, and never out of the tenant', async () => {
    const up = await call(`${acme}/definitions/%2e%2e/%2e%2e/%2e%2e/globex/documents/definitions/a`)
    expect(await refusalOf(up)).toBe('404 document_not_found')
    expect(await (await call(`${acme}/definitions/x/../a`)).text()).toBe('A')
    expect((await call(`${acme}/definitions/${'x'.repeat(128)}`)).status).toBe(404)
  })

  it('is 404 in the tenant, as any that the token is not for', async () => {
    for (const tenant of ['ACME', 'Acme', 'acme.', 'ac_me', '%00', 'a%2Fb', 'x'.repeat(64), '%2561cme']) {
      const response = await call(`/v1/tenants/${tenant}/documents/definitions/a`)
      expect([tenant, await refusalOf(response)]).toEqual([tenant, '404 document_not_found'])
    }
  })

  it('may be percent-encoded where that is not needed', async () => {
    expect(await (await call('/v1/tenants/%61cme/documents/d%65finitions/%61')).text()).toBe('A')
  })
})
