import { describe, expect, it } from 'bun:test'
import { neededScopes } from '../../service/authz/policy.ts'
import { scopes } from '../../service/authz/principal.ts'
import { callerOf, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'

const { service, call, anyone } = await ownService()

await put(call, 'definitions/a', 'A')

/** The route's address in `tenant`, for a document that is there in `acme`. */
function addressOf(path: string, tenant = 'acme'): string {
  const values: Record<string, string> = {
    tenant,
    type: 'definitions',
    name: 'a',
    digest: digestOf('A'),
    tag: 'latest',
    id: '0'.repeat(32),
  }
  return path.replace(/:(\w+)/g, (_, name: string) => values[name] ?? `no value for ${name}`)
}

type Routes = typeof service.routes

/** What each route answers to the token: `GET /v1/…: 401 credentials_missing`, one line each. */
async function walk(token: (route: Routes[number]) => string | null | Promise<string>, tenant?: string) {
  const answers: string[] = []
  for (const route of service.routes) {
    const caller = await callerOf(service, await token(route))
    const response = await caller(addressOf(route.path, tenant), { method: route.method })
    const refusal = route.method === 'HEAD' ? `${response.status} without a body` : await refusalOf(response)
    answers.push(`${route.method} ${route.path}: ${refusal}`)
  }
  return answers
}

function eachRoute(refusal: string): string[] {
  const [status] = refusal.split(' ')
  return service.routes.map(
    ({ method, path }) => `${method} ${path}: ${method === 'HEAD' ? `${status} without a body` : refusal}`,
  )
}

describe('the table of routes', () => {
  it('has a call for every action of the policy, and none beyond it', () => {
    const actions = new Set<string>(service.routes.map(({ action }) => action))
    expect([...actions].toSorted()).toEqual(Object.keys(neededScopes).toSorted())
  })
})

describe('every route, before the store is called', () => {
  it.each([
    ['401 credentials_missing', 'without a token', () => [null]],
    [
      '401 credentials_invalid',
      'with an expired token',
      () => [service.token({ exp: Math.floor(Date.now() / 1000) - 60 })],
    ],
    [
      '401 credentials_invalid',
      'with a token for another audience, and of another issuer',
      () => [service.token({ aud: 'billing' }), service.token({ iss: 'https://issuer.example' })],
    ],
    [
      '401 credentials_invalid',
      'with an unsigned token, and one signed with the public key as a secret',
      () => [service.issuer.unsignedToken(), service.issuer.publicKeyAsSecretToken()],
    ],
    [
      '404 document_not_found',
      'with a token for another tenant, or for none',
      () => [service.token({ tenants: ['globex'] }), service.token({ tenants: [] })],
    ],
  ])('is %s %s', async (refusal, _with, tokens) => {
    service.storeCalls.length = 0
    for (const token of await Promise.all<string | null>(tokens())) {
      expect(await walk(() => token)).toEqual(eachRoute(refusal))
    }
    expect(service.storeCalls).toEqual([])
  })

  it('is 403 with every scope but the one that it needs', async () => {
    service.storeCalls.length = 0
    const withoutIt = ({ action }: Routes[number]) =>
      service.token({ scope: scopes.filter((scope) => scope !== neededScopes[action]).join(' ') })
    expect(await walk(withoutIt)).toEqual(eachRoute('403 scope_missing'))
    expect(await walk(() => service.token({ scope: '' }))).toEqual(eachRoute('403 scope_missing'))
    expect(service.storeCalls).toEqual([])
  })

  it('lets a token pass that has just the scope which it needs', async () => {
    const justIt = ({ action }: Routes[number]) => service.token({ scope: neededScopes[action] })
    for (const answer of await walkStatuses(justIt)) expect(answer).not.toMatch(/ (401|403)$/)
  })
})

/** Status of each route. Deletions come last, so that the document is there for the others. */
async function walkStatuses(token: (route: Routes[number]) => Promise<string>): Promise<string[]> {
  const answers: string[] = []
  for (const route of service.routes.toSorted(deletionsLast)) {
    const caller = await callerOf(service, await token(route))
    const response = await caller(addressOf(route.path), { method: route.method })
    await response.body?.cancel()
    answers.push(`${route.method} ${route.path}: ${response.status}`)
  }
  return answers
}

function deletionsLast(a: Routes[number], b: Routes[number]): number {
  return Number(a.method === 'DELETE') - Number(b.method === 'DELETE')
}

/** The characters that RFC 6750 section 3 allows in a description. */
const rfc6750Challenge =
  /^Bearer realm="documents", error="invalid_token", error_description="[\x20-\x21\x23-\x5b\x5d-\x7e]+"$/

describe('a 401 and a 403', () => {
  it('tell how to authenticate (RFC 6750 section 3)', async () => {
    const challenge = async (token: string | null) =>
      (await (await callerOf(service, token))('definitions/a')).headers.get('www-authenticate')
    expect(await challenge(null)).toBe('Bearer realm="documents"')
    expect(await challenge('not-a-jwt')).toBe(
      'Bearer realm="documents", error="invalid_token", error_description="The token is not accepted: it is not a signed JWT."',
    )
    expect(await challenge(await service.token({ scope: 'documents:write' }))).toBe(
      'Bearer realm="documents", error="insufficient_scope", scope="documents:read"',
    )
  })

  it('stay within RFC 6750 whatever is wrong with a token, with a problem and one line in the log', async () => {
    const bad: Record<string, unknown>[] = [
      ...['zoë', 7, '', ['alice'], 'a'.repeat(256), 'a\nb', undefined].map((sub) => ({ sub })),
      ...[undefined, 'acme', ['Ächme']].map((tenants) => ({ tenants })),
      { scope: ['documents:read'] },
      { iss: 'https://issuer.example' },
      { aud: 'billing' },
      { exp: 'tomorrow' },
      { exp: 1 },
      { nbf: Math.floor(Date.now() / 1000) + 3600 },
    ]
    const tokens = [
      ...(await Promise.all(bad.map((claims) => service.token(claims)))),
      await service.issuer.sign({ header: { typ: 'logout+jwt' } }),
      await service.issuer.unsignedToken(),
      'two words',
    ]
    for (const token of tokens) {
      const before = service.logs().length
      const response = await (await callerOf(service, token))('definitions/a')
      const challenge = response.headers.get('www-authenticate') ?? ''
      expect([challenge, response.status]).toEqual([expect.stringMatching(rfc6750Challenge), 401])
      expect(await jsonOf(response)).toMatchObject({ code: 'credentials_invalid' })
      const events = service
        .logs()
        .slice(before)
        .map(({ event }) => event)
      // Of the refusals of one address in a second only the first one has an audit line of its own.
      expect(events.filter((event) => !String(event).startsWith('access.'))).toEqual(['request.answered'])
    }
  })

  it('are given to a token in the query or in a cookie, too', async () => {
    const token = await service.token()
    expect((await anyone(`definitions/a?access_token=${token}`)).status).toBe(401)
    expect((await anyone('definitions/a', { headers: { cookie: `token=${token}` } })).status).toBe(401)
    expect((await anyone('definitions/a', { headers: { authorization: `Basic ${token}` } })).status).toBe(401)
  })

  it('name the scope that is missing', async () => {
    const reader = await callerOf(service, await service.token({ scope: 'documents:read' }))
    const response = await reader(`definitions/a/versions/${digestOf('A')}`, { method: 'DELETE' })
    expect(await jsonOf(response)).toMatchObject({ code: 'scope_missing', scope: 'documents:admin' })
  })
})

describe('public addresses', () => {
  it('are the health of the process and of the store, a code and nothing else', async () => {
    for (const path of ['/livez', '/readyz']) {
      const response = await anyone(path)
      expect([path, response.status, await response.text()]).toEqual([path, 200, ''])
      expect((await anyone(path, { method: 'HEAD' })).status).toBe(200)
    }
  })
})
