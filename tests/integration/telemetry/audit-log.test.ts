import { beforeAll, describe, expect, it } from 'bun:test'
import { type Call, callerOf, put } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf } from '../../support/service/sample-documents.ts'
import { type LogLine, type SpawnedService, serviceInChild } from '../../support/service/service-for-tests.ts'
import { until } from '../../support/waiting.ts'

const writtenAtCall = new Map<string, number>()
const { service } = await ownService({
  // So that each request can come from an address of its own.
  trustedProxies: '127.0.0.1',
  decorate: (store) => ({
    ...store,
    getWhole(key, ...rest) {
      writtenAtCall.set(key, service.logs().filter(({ kind }) => kind === 'audit').length)
      return store.getWhole(key, ...rest)
    },
  }),
})

let addresses = 0

/** Returns an address that has sent nothing yet: of the refusals of one address only the first has a line of its own. */
function nextAddress(): string {
  addresses += 1
  return `198.51.100.${addresses}`
}

/** The lines that one request wrote, and its status. */
async function linesOf(token: string | null, path: string, request: Call = {}) {
  const correlationId = crypto.randomUUID()
  const call = await callerOf(service, token)
  const own = { 'x-forwarded-for': nextAddress(), 'x-correlation-id': correlationId }
  const headers = { ...own, ...request.headers }
  const response = await call(path, { ...request, headers })
  await response.body?.cancel()
  const lines = service.logs().filter((line) => line.correlationId === correlationId)
  return {
    status: response.status,
    events: lines.map(({ event }) => event),
    audit: lines.find(({ event }) => event === 'access.decided'),
    outcome: lines.find(({ event }) => event === 'access.answered'),
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
    clientAddress: expect.stringMatching(/^198\.51\.100\./),
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
      const others = events.filter((event) => event !== 'access.answered')
      expect([path, others]).toEqual([path, ['access.decided', 'request.answered']])
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

describe('a flood of requests without a valid token', () => {
  it('leaves a line or two a second, and a count of all others', async () => {
    const sender = { headers: { 'x-forwarded-for': '192.0.2.1' } }
    const [anyone, forger] = [await callerOf(service, null), await callerOf(service, 'not-a-token')]
    const alice = await callerOf(service, await service.token())
    const startedAt = performance.now()
    const statuses = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const response = await (i % 2 ? anyone : forger)('definitions/a', sender)
        await response.body?.cancel()
        return response.status
      }),
    )
    expect(new Set(statuses)).toEqual(new Set([401]))
    await (await alice('definitions/a', sender)).body?.cancel()
    const lines = () =>
      service.logs().filter((line) => line.kind === 'audit' && line.clientAddress === '192.0.2.1')
    function counted(): number {
      const rules = lines().map((line) => Object.values((line.rules ?? {}) as Record<string, number>))
      return rules.flat().reduce((sum, count) => sum + count, 0)
    }
    const denied = () =>
      lines().filter(({ event, decision }) => event === 'access.decided' && decision === 'denied')
    await until(() => counted() + denied().length === 300)
    const seconds = (performance.now() - startedAt) / 1000
    expect(denied().length).toBeLessThanOrEqual(Math.ceil(seconds))
    expect(lines().length).toBeLessThanOrEqual(2 * Math.ceil(seconds) + 1)
    expect(lines().filter(({ decision }) => decision === 'allowed')).toHaveLength(1)
  })
})

describe('the outcome line', () => {
  const json = { 'content-type': 'application/json' }
  const point = (text: string) => ({
    method: 'PUT',
    headers: json,
    body: JSON.stringify({ digest: digestOf(text) }),
  })

  it('says of uploads and tags which version, which one before, and whether it succeeded', async () => {
    const token = await service.token({ sub: 'carol' })
    const tag = 'definitions/released/tags/production'
    const outcomeOf = async (path: string, request: Call) => (await linesOf(token, path, request)).outcome
    const upload = await linesOf(token, 'definitions/released', { method: 'PUT', body: '1' })
    expect(upload.events).toEqual(['access.decided', 'access.answered', 'request.answered'])
    expect(upload.outcome).toEqual({
      ...common(upload.outcome),
      event: 'access.answered',
      name: 'released',
      action: 'document.put',
      subject: 'carol',
      digest: digestOf('1'),
      status: 201,
    })
    await outcomeOf('definitions/released', { method: 'PUT', body: '2' })
    const created = await outcomeOf(tag, point('1'))
    expect(created).toMatchObject({ tag: 'production', digest: digestOf('1'), status: 201 })
    expect(created).not.toHaveProperty('previousDigest')
    const moved = { digest: digestOf('2'), previousDigest: digestOf('1'), status: 200 }
    expect(await outcomeOf(tag, point('2'))).toMatchObject({ action: 'tag.put', subject: 'carol', ...moved })
    const refused = { digest: digestOf('3'), status: 422, code: 'version_unknown' }
    expect(await outcomeOf(tag, point('3'))).toMatchObject(refused)
    const removed = { action: 'tag.delete', previousDigest: digestOf('2'), status: 204 }
    expect(await outcomeOf(tag, { method: 'DELETE' })).toMatchObject(removed)
  })

  it('is there for tickets, signed downloads and deletes, and not for what only reads or is denied', async () => {
    const token = await service.token()
    const digest = digestOf('outcome')
    const body = JSON.stringify({ digest, size: 7, contentType: 'text/plain' })
    const versions = 'definitions/outcome/versions'
    await put(await callerOf(service, token), 'definitions/outcome', 'outcome')
    const outcomes = [
      await linesOf(token, 'definitions/outcome/uploads', { method: 'POST', headers: json, body }),
      await linesOf(token, `${versions}/${digest}/downloads`, { method: 'POST' }),
      await linesOf(token, `${versions}/${digest}`, { method: 'DELETE' }),
      await linesOf(token, versions),
      await linesOf(await service.token({ scope: '' }), `${versions}/${digest}`, { method: 'DELETE' }),
    ].map(({ outcome }) => outcome && [outcome.action, outcome.digest, outcome.status])
    expect(outcomes).toEqual([
      ['upload.create', digest, 200],
      ['download.create', digest, 201],
      ['version.delete', digest, 204],
      undefined,
      undefined,
    ])
  })
})

describe('the client address', () => {
  const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.4' }

  it('is that of the peer, whatever a client says about itself', async () => {
    const { service: withoutProxy, call } = await ownService()
    await (await call('definitions/a', { headers })).body?.cancel()
    const audit = withoutProxy.logs().find(({ kind }) => kind === 'audit')
    expect(audit).toMatchObject({ clientAddress: '127.0.0.1' })
  })

  it('is the one that a trusted proxy has added', async () => {
    const { audit } = await linesOf(await service.token(), 'definitions/a', { headers })
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
      clientAddress: expect.stringMatching(/^198\.51\.100\./),
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
