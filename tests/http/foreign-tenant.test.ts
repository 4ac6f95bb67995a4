import { describe, expect, it } from 'bun:test'
import { type Call, callerOf, put } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'

/** One that exists, with this very document; a well-formed one that does not exist; and malformed ones. */
const tenants = ['globex', 'absent', 'GLOBEX', 'a%00b', 'x'.repeat(64)]

const own = await ownService({ documentBytesMax: 1000 })
const { service } = own
/** Good for `acme` alone, with all scopes. */
let { call } = own
const globex = await callerOf(service, await service.token({ tenants: ['globex'] }))
await put(globex, '/v1/tenants/globex/documents/definitions/a', 'A')

/** All of an answer that does not differ between two requests for the same thing. */
async function answerTo(path: string, request: Call): Promise<unknown> {
  const response = await call(path, request)
  const {
    date: _date,
    traceparent,
    'x-correlation-id': _id,
    ...headers
  } = Object.fromEntries(response.headers)
  const traceId = traceparent?.split('-')[1] ?? 'no trace'
  return {
    status: response.status,
    headers,
    names: [...response.headers.keys()].toSorted(),
    body: (await response.text()).replace(traceId, 'trace id'),
  }
}

/** What every tenant of the list answers; one entry if all say the same. */
async function answersOfAll(rest: string, request: Call): Promise<string[]> {
  const answers = new Set<string>()
  for (const tenant of tenants) {
    answers.add(JSON.stringify(await answerTo(`/v1/tenants/${tenant}${rest}`, request)))
  }
  return [...answers]
}

const document = '/documents/definitions/a'
const version = `${document}/versions/${digestOf('A')}`
const paths = [
  '',
  '/documents',
  '/documents?type=definitions',
  '/documents?limit=0&limit=1&unknown',
  '/documents/archive',
  '/documents/archives',
  '/archives/forged',
  '/documents/have',
  '/documents/downloads',
  '/documents/delete',
  document,
  `${document}?tag=latest`,
  `${document}/versions`,
  version,
  `${document}/versions/malformed`,
  `${document}/tags/latest`,
  `${document}/tags/.malformed`,
  `${document}/uploads`,
  `${document}/uploads/${'0'.repeat(32)}/complete`,
  `${version}/downloads`,
  '/no/such/address',
]

/** Of the first path, and then of all. */
async function expectConstant(request: Call): Promise<void> {
  const [first] = await answersOfAll(document, request)
  for (const path of paths) {
    const answers = await answersOfAll(path, request)
    expect([request.method, path, answers]).toEqual([request.method, path, [first ?? 'none']])
  }
}

describe('a tenant that is not in the token', () => {
  it('is 404 like a document that is absent in an own tenant', async () => {
    const foreign = await answerTo(`/v1/tenants/globex${document}`, {})
    expect(foreign).toEqual(await answerTo('/v1/tenants/acme/documents/definitions/absent', {}))
    expect(foreign).toMatchObject({ status: 404, body: expect.stringContaining('"document_not_found"') })
  })

  it('gives the same answer whether it exists or not, to every method at every address', async () => {
    service.storeCalls.length = 0
    await expectConstant({ method: 'GET' })
    await expectConstant({ method: 'PUT' })
    await expectConstant({ method: 'POST' })
    await expectConstant({ method: 'DELETE' })
    await expectConstant({ method: 'PATCH' })
    await expectConstant({ method: 'OPTIONS' })
    await expectConstant({ method: 'HEAD' })
    expect(service.storeCalls).toEqual([])
  })

  it('gives the same answer whatever the body is', async () => {
    service.storeCalls.length = 0
    const json = { 'content-type': 'application/json' }
    await expectConstant({ method: 'PUT', body: 'A' })
    await expectConstant({ method: 'PUT', body: JSON.stringify({ digest: digestOf('A') }), headers: json })
    await expectConstant({ method: 'PUT', body: 'x'.repeat(2000) })
    await expectConstant({ method: 'PUT', body: 'x'.repeat(100_000), headers: json })
    await expectConstant({ method: 'POST', body: 'not json', headers: { 'content-encoding': 'gzip' } })
    expect(service.storeCalls).toEqual([])
  })

  it('gives the same answer whatever the conditions, ranges and digests are', async () => {
    service.storeCalls.length = 0
    const etag = `"${digestOf('A')}"`
    await expectConstant({ method: 'GET', headers: { 'if-none-match': etag } })
    await expectConstant({ method: 'GET', headers: { 'if-match': '"other"' } })
    await expectConstant({ method: 'GET', headers: { 'if-match': 'malformed' } })
    await expectConstant({ method: 'GET', headers: { range: 'bytes=99-' } })
    await expectConstant({ method: 'PUT', body: 'A', headers: { 'repr-digest': 'malformed' } })
    await expectConstant({ method: 'PUT', body: 'A', headers: { 'content-range': 'bytes 0-0/1' } })
    expect(service.storeCalls).toEqual([])
  })

  it('gives the same answer whatever scopes the token has', async () => {
    const withScopes = call
    const expected = await answersOfAll(version, { method: 'DELETE' })
    call = await callerOf(service, await service.token({ scope: '' }))
    expect(await answersOfAll(version, { method: 'DELETE' })).toEqual(expected)
    call = withScopes
    expect(expected).toHaveLength(1)
  })
})
