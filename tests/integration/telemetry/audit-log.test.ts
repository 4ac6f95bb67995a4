import { beforeAll, describe, expect, it } from 'bun:test'
import { type Call, callerOf, put } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf } from '../../support/service/sample-documents.ts'
import { type LogLine, type SpawnedService, serviceInChild } from '../../support/service/service-for-tests.ts'

const writtenAtCall = new Map<string, number>()
const { service } = await ownService({
  decorate: (store) => ({
    ...store,
    getUnless(key, ...rest) {
      writtenAtCall.set(key, service.logs().filter(({ kind }) => kind === 'audit').length)
      return store.getUnless(key, ...rest)
    },
  }),
})

/** The lines that one request wrote, and its status. */
async function linesOf(token: string | null, path: string, request: Call = {}) {
  const correlationId = crypto.randomUUID()
  const call = await callerOf(service, token)
  const headers = { ...request.headers, 'x-correlation-id': correlationId }
  const response = await call(path, { ...request, headers })
  await response.body?.cancel()
  const lines = service.logs().filter((line) => line.correlationId === correlationId)
  return {
    status: response.status,
    events: lines.map(({ event }) => event),
    audit: lines.find(({ kind }) => kind === 'audit'),
    access: lines.find(({ event }) => event === 'request.answered'),
  }
}

function common(line: LogLine | undefined): LogLine {
  return {
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    level: 'info',
    kind: 'audit',
    service: 'documents',
    event: 'access.decided',
    clientAddress: '127.0.0.1',
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    correlationId: line?.correlationId,
    tenant: 'acme',
    type: 'definitions',
    name: 'a',
  }
}

describe('the audit line', () => {
  it('says for an allowed call who did what to which version, and by which rule', async () => {
    const token = await service.token({ sub: 'carol' })
    await put(await callerOf(service, token), 'definitions/a', 'A')
    const digest = digestOf('A')
    const { status, audit } = await linesOf(token, `definitions/a/versions/${digest}`)
    expect(status).toBe(200)
    expect(audit).toEqual({
      ...common(audit),
      decision: 'allowed',
      rule: 'scope:documents:read',
      action: 'version.read',
      subject: 'carol',
      digest,
    })
  })

  it('says the same for a denied call, with the rule that denied it', async () => {
    const token = await service.token({ sub: 'carol', scope: 'documents:read' })
    const { status, audit } = await linesOf(token, `definitions/a/versions/${digestOf('A')}`, {
      method: 'DELETE',
    })
    expect(status).toBe(403)
    expect(audit).toEqual({
      ...common(audit),
      decision: 'denied',
      rule: 'scope:documents:admin',
      action: 'version.delete',
      subject: 'carol',
      digest: digestOf('A'),
    })
  })

  it('names for a foreign tenant the tenant and what was requested', async () => {
    const token = await service.token({ sub: 'carol' })
    const { audit } = await linesOf(token, '/v1/tenants/globex/documents/definitions/a/tags/v1')
    expect(audit).toEqual({
      ...common(audit),
      decision: 'denied',
      rule: 'tenant-in-token',
      action: 'tenant.enter',
      subject: 'carol',
      tenant: 'globex',
      tag: 'v1',
    })
  })

  it('says for a call without a valid token why it is invalid, and no subject', async () => {
    const { audit } = await linesOf(null, 'definitions/a')
    expect(audit).toEqual({
      ...common(audit),
      decision: 'denied',
      rule: 'token-missing',
      action: 'authenticate',
    })
    const expired = await service.token({ exp: Math.floor(Date.now() / 1000) - 60 })
    expect((await linesOf(expired, 'definitions/a')).audit).toMatchObject({ rule: 'token-expired' })
    const unsigned = await service.issuer.unsignedToken()
    expect((await linesOf(unsigned, 'definitions/a')).audit).toMatchObject({ rule: 'token-invalid' })
    expect((await linesOf('two words', 'definitions/a')).audit).toMatchObject({ rule: 'token-malformed' })
  })

  it('is exactly one for each decision, and stands before the line of the answer', async () => {
    const token = await service.token()
    const powerless = await service.token({ scope: '' })
    const json = { 'content-type': 'application/json' }
    const requests: [string | null, string, Call?][] = [
      [token, 'definitions/a'],
      [token, 'definitions/absent'],
      [token, '?limit=1'],
      [token, '?limit=0'],
      [token, 'definitions/a/versions'],
      [token, 'definitions/b', { method: 'PUT', body: 'B' }],
      [token, 'definitions/b', { method: 'PUT', body: 'B', headers: { 'repr-digest': 'malformed' } }],
      [token, 'definitions/a/tags/v1', { method: 'PUT', body: '{}', headers: json }],
      [token, 'definitions/a/tags/v1', { method: 'DELETE' }],
      [powerless, 'definitions/a'],
      [powerless, 'definitions/a', { method: 'PATCH' }],
      [token, '/v1/tenants/globex/documents'],
      [null, 'definitions/a'],
      ['not-a-token', '/v1'],
    ]
    for (const [bearer, path, request] of requests) {
      const { events } = await linesOf(bearer, path, request)
      expect([path, events]).toEqual([path, ['access.decided', 'request.answered']])
    }
  })

  it('is written before the store is called', async () => {
    const token = await service.token()
    const before = service.logs().filter(({ kind }) => kind === 'audit').length
    await linesOf(token, 'definitions/a/tags/latest')
    expect(writtenAtCall.get('tenants/acme/records/definitions/a')).toBe(before + 1)
  })

  it('is one line whatever the path holds, and does not grow with it', async () => {
    const token = await service.token()
    const before = service.logs().length
    const name = `${'x'.repeat(3000)}%0A%7B%22kind%22%3A%22audit%22%7D`
    const { audit } = await linesOf(token, `/v1/tenants/globex%0Aglobex/documents/definitions/${name}`)
    expect(service.logs()).toHaveLength(before + 2)
    expect(audit).toMatchObject({ tenant: 'globex\nglobex', name: 'x'.repeat(160) })
  })
})

describe('the client address', () => {
  const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.4' }

  it('is that of the peer, whatever a client says about itself', async () => {
    const { audit } = await linesOf(await service.token(), 'definitions/a', { headers })
    expect(audit).toMatchObject({ clientAddress: '127.0.0.1' })
  })

  it('is the one that a trusted proxy has added', async () => {
    const { service: behindProxy, call } = await ownService({ trustedProxies: '127.0.0.0/8' })
    await (await call('definitions/a', { headers })).body?.cancel()
    const audit = behindProxy.logs().find(({ kind }) => kind === 'audit')
    expect(audit).toMatchObject({ clientAddress: '198.51.100.4' })
  })
})

describe('the access line', () => {
  it('says what was answered to which route, how and when', async () => {
    const { access } = await linesOf(await service.token(), 'definitions/a?tag=absent')
    expect(access).toEqual({
      time: expect.any(String),
      level: 'info',
      kind: 'log',
      service: 'documents',
      event: 'request.answered',
      method: 'GET',
      route: '/v1/tenants/:tenant/documents/:type/:name',
      tenant: 'acme',
      status: 404,
      code: 'document_not_found',
      durationMs: expect.any(Number),
      correlationId: expect.any(String),
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
    })
  })
})

describe('everything that the real service prints', () => {
  let child: SpawnedService
  let tokens: string[]

  beforeAll(async () => {
    child = await serviceInChild()
    tokens = [await child.token(), await child.issuer.unsignedToken(), await child.token({ scope: '' })]
    for (const token of tokens) {
      const call = await callerOf(child, token)
      await call('definitions/a', { method: 'PUT', body: 'A' })
      await call('definitions/a')
      await call(`definitions/a?access_token=${token}`)
      await call(`/v1/tenants/${token}/documents`)
      await call(`definitions/${token}`)
      await call('definitions/a', { headers: { 'x-correlation-id': token, traceparent: token } })
    }
    await child.stop()
  }, 600_000)

  it('is one JSON object per line', () => {
    expect(child.logs().length).toBeGreaterThan(30)
    for (const line of child.logs())
      expect(Object.keys(line).slice(0, 5)).toEqual(['time', 'level', 'kind', 'service', 'event'])
  })

  it('holds no token, not even one that was sent where none belongs, and no credential of the store', () => {
    const printed = child.printed()
    const { secretAccessKey, accessKeyId } = child.connection
    for (const secret of [...tokens, secretAccessKey, accessKeyId]) {
      expect(printed.includes(secret)).toBe(false)
    }
    // The signature is what makes a token; pieces of one must not stand there either.
    for (const token of tokens)
      for (const part of token.split('.')) if (part !== '') expect(printed.includes(part)).toBe(false)
  })
})
