import { describe, expect, it } from 'bun:test'
import { acme } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { answerTo } from '../support/service/raw-connection.ts'

const { service, token } = await ownService()

const globex = await service.token({ tenants: ['globex'] })
for (const [tenant, bearer] of [
  ['acme', token],
  ['globex', globex],
]) {
  const headers = { authorization: `Bearer ${bearer}` }
  const url = `${service.url}/v1/tenants/${tenant}/documents/definitions/a`
  await fetch(url, { method: 'PUT', body: `of ${tenant}`, headers })
}

/** Status and body, or code, of what a client writes that resolves no path by itself. Good for `acme` alone. */
async function get(target: string, host = 'documents', version = '1.1'): Promise<string> {
  const fields = [`GET ${target} HTTP/${version}`, `Host: ${host}`, `Authorization: Bearer ${token}`]
  const answer = await answerTo(service.url, `${fields.join('\r\n')}\r\n\r\n`)
  if (answer === null) return 'closed'
  const type = answer.headers['content-type']
  const said = type === 'application/problem+json' ? JSON.parse(answer.body).code : answer.body
  return `${answer.status} ${said}`
}

describe('a path as it is written on the wire', () => {
  it('is resolved before anything is decided, so that its dots cannot lead into another tenant', async () => {
    expect(await get(`${acme}/x/../definitions/a`)).toBe('200 of acme')
    expect(await get('/v1/tenants/globex/../acme/documents/definitions/a')).toBe('200 of acme')
    expect(await get('/v1/tenants/acme/../globex/documents/definitions/a')).toBe('404 document_not_found')
    expect(await get('/v1/tenants/acme/%2e%2e/globex/documents/definitions/a')).toBe('404 document_not_found')
    expect(await get('/v1/tenants/acme/documents/../../globex/documents/definitions/a')).toBe(
      '404 document_not_found',
    )
    expect(await get('/v1/tenants/acme\\..\\globex/documents/definitions/a')).toBe('404 document_not_found')
    expect(await get('/../../v1/tenants/globex/documents/definitions/a')).toBe('404 document_not_found')
    expect(await get('/livez/../v1/tenants/globex/documents/definitions/a')).toBe('404 document_not_found')
  })

  it('leads nowhere else with encoded slashes, double encodings or empty segments', async () => {
    expect(await get('/v1/tenants/acme%2F..%2Fglobex/documents/definitions/a')).toBe('404 document_not_found')
    expect(await get('/v1/tenants/acme/documents/definitions/..%2F..%2Fa')).toBe('422 request_invalid')
    expect(await get('/v1/tenants/%2567lobex/documents/definitions/a')).toBe('404 document_not_found')
    expect(await get('//v1/tenants/globex/documents/definitions/a')).toBe('404 route_not_found')
    expect(await get('/v1//tenants/globex/documents/definitions/a')).toBe('404 route_not_found')
    expect(await get('/v1/tenants//globex/documents/definitions/a')).toBe('404 route_not_found')
    expect(await get(`${acme}/definitions/a#/../../globex`)).toBe('404 route_not_found')
    expect(await get(`${acme}/definitions/a?/../../globex`)).toBe('422 request_invalid')
  })

  it('counts, and not the host that an absolute form names', async () => {
    expect(await get(`http://elsewhere${acme}/definitions/a`)).toBe('200 of acme')
    expect(await get('http://acme/v1/tenants/globex/documents/definitions/a')).toBe('404 document_not_found')
  })
})

describe('the Host header', () => {
  const address = `${acme}/definitions/a`

  it('may be any host name or address, however short', async () => {
    for (const host of [
      'a',
      'api',
      'api:80',
      'documents.example.com:8443',
      '127.0.0.1:8080',
      '[::1]',
      '[::1]:80',
    ]) {
      expect([host, await get(address, host)]).toEqual([host, '200 of acme'])
    }
  })

  it('gets 400 when it is no host, and never moves the path', async () => {
    const hosts = [
      '',
      'a b',
      'a/v1/tenants/globex/documents',
      'a?b',
      'a#b',
      'a@b',
      'a:99999',
      'a:b',
      '[::1',
      'a,b',
      'é',
    ]
    for (const host of hosts) {
      expect([host, await get(address, host)]).toEqual([host, '400 host_invalid'])
      expect([host, await get('/livez', host)]).toEqual([host, '400 host_invalid'])
    }
  })

  it('may be absent in HTTP/1.0 for health checks, and for nothing else', async () => {
    const without = (target: string) => answerTo(service.url, `GET ${target} HTTP/1.0\r\n\r\n`)
    expect((await without('/livez'))?.status).toBe(200)
    expect((await without('/readyz'))?.status).toBe(200)
    expect((await without(address))?.status).toBe(400)
    expect((await without(`/x/..${address}`))?.status).toBe(400)
    expect(await get(address, 'documents', '1.0')).toBe('200 of acme')
  })
})
