import { afterEach, describe, expect, it } from 'bun:test'
import { decodeJwt } from 'jose'
import { createAuthenticator } from '../../../../../service/authn/authenticator.ts'
import type { TokenRequest } from '../../../../../service/cli/local-issuer/access-token.ts'
import { type LocalIssuer, startLocalIssuer } from '../../../../../service/cli/local-issuer/issuer.ts'
import { localScope } from '../../../../../service/cli/local-issuer/sign-in-code.ts'
import { registerSecret } from '../../../../support/secrets.ts'
import { stoppedAfterTests } from '../../../../support/stop-at-the-end.ts'

const ui = 'http://127.0.0.1:8080'
const foreign = 'http://127.0.0.1:8081'
const reading = { tenants: ['acme'], scope: 'documents:read' }

const others: LocalIssuer[] = []

const issuer = stoppedAfterTests(await startLocalIssuer({ uiOrigins: [ui] }))
registerSecret(String(issuer.privateJwk.d))
const authenticator = createAuthenticator(issuer)
afterEach(async () => {
  for (const other of others.splice(0)) await other.stop()
})

async function anotherIssuer(options: Parameters<typeof startLocalIssuer>[0] = {}): Promise<LocalIssuer> {
  const other = await startLocalIssuer({ uiOrigins: [ui], ...options })
  registerSecret(String(other.privateJwk.d))
  others.push(other)
  return other
}

async function codeFor(request: TokenRequest = reading, of = issuer): Promise<string> {
  const code = await of.signCode(request)
  registerSecret(code)
  return code
}

type Form = Record<string, string>

/** Sends the form as the UI does, by default from its origin. */
function ask(form: Form | string, headers: Record<string, string> = { origin: ui }, at = issuer) {
  return send(`${at.issuer}/token`, form, headers)
}

function send(url: string, form: Form | string, headers: Record<string, string>) {
  const body = typeof form === 'string' ? form : new URLSearchParams(form).toString()
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  return fetch(url, { method: 'POST', body, headers: { ...type, ...headers } })
}

const client = { client_id: 'cloudlysis-local' }
const exchange = (code: string): Form => ({
  ...client,
  grant_type: 'authorization_code',
  code,
  redirect_uri: `${ui}/sign-in/callback`,
})
const renewal = (refreshToken: string): Form => ({
  ...client,
  grant_type: 'refresh_token',
  refresh_token: refreshToken,
})

interface Tokens {
  access_token: string
  token_type: string
  expires_in: number
  refresh_token: string
  scope: string
}

async function tokensFrom(response: Response): Promise<Tokens> {
  if (!response.ok) throw new Error(await response.text())
  const tokens = (await response.json()) as Tokens
  registerSecret(tokens.access_token)
  registerSecret(tokens.refresh_token)
  return tokens
}

/** Status and error (RFC 6749 section 5.2), after checking the rest of the answer. */
async function refusalFrom(response: Response): Promise<string> {
  const { error, error_description } = (await response.json()) as Record<string, string>
  expect(error_description).toEndWith('.')
  expect(response.headers.get('cache-control')).toBe('no-store')
  return `${response.status} ${error}`
}

async function signIn(request: TokenRequest = reading): Promise<Tokens> {
  return tokensFrom(await ask(exchange(await codeFor(request))))
}

describe('the local issuer', () => {
  it('publishes its metadata and the public half of its key only', async () => {
    const address = `${issuer.issuer}/.well-known/openid-configuration`
    expect(await (await fetch(address)).json()).toEqual({
      issuer: issuer.issuer,
      jwks_uri: issuer.jwksUrl,
      token_endpoint: `${issuer.issuer}/token`,
      token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint: `${issuer.issuer}/revoke`,
      revocation_endpoint_auth_methods_supported: ['none'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    })
    const published = await (await fetch(issuer.jwksUrl)).text()
    expect(JSON.parse(published).keys).toHaveLength(1)
    expect(published).not.toContain(String(issuer.privateJwk.d))
    expect(JSON.parse(published).keys[0]).not.toHaveProperty('d')
    expect((await fetch(`${issuer.issuer}/authorize`)).status).toBe(404)
  })

  it('listens on loopback only', () => {
    expect(new URL(issuer.issuer).hostname).toBe('127.0.0.1')
  })

  it('frees its port when it stops, and takes it again with the same key', async () => {
    const first = await startLocalIssuer()
    const token = await first.signToken({ tenants: ['acme'], scope: '' })
    registerSecret(token)
    await first.stop()
    const port = Number(new URL(first.issuer).port)
    const second = await anotherIssuer({ port, privateJwk: first.privateJwk })
    const accepting = createAuthenticator(second)
    expect(await accepting.authenticate(`Bearer ${token}`)).toMatchObject({ ok: true })
  })
})

describe('a sign-in code', () => {
  it('is exchanged for a token that the service accepts, with the tenants and scopes of the code', async () => {
    const request = { tenants: ['acme', 'globex'], scope: localScope, subject: 'alice' }
    const response = await ask(exchange(await codeFor(request)))
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { access_token, ...rest } = await tokensFrom(response)
    expect(rest).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: localScope })
    const authenticated = await authenticator.authenticate(`Bearer ${access_token}`)
    expect(authenticated).toMatchObject({ ok: true, principal: { subject: 'alice' } })
    const { tenants, scope, exp = 0, iat = 0 } = decodeJwt(access_token)
    expect([tenants, scope, exp - iat]).toEqual([['acme', 'globex'], localScope, 900])
  })

  it('works once, and ends its session when it is sent again', async () => {
    const code = await codeFor()
    const { refresh_token } = await tokensFrom(await ask(exchange(code)))
    expect(await refusalFrom(await ask(exchange(code)))).toBe('400 invalid_grant')
    expect(await refusalFrom(await ask(renewal(refresh_token)))).toBe('400 invalid_grant')
  })

  it('works once even for simultaneous requests', async () => {
    const code = await codeFor()
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(exchange(code))))
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
    await Promise.all(answers.map((answer) => answer.text()))
  })

  it('is refused after it has expired', async () => {
    expect(await refusalFrom(await ask(exchange(await codeFor({ ...reading, expiresInSeconds: 0 }))))).toBe(
      '400 invalid_grant',
    )
    const { exp = 0, iat = 0 } = decodeJwt(await codeFor())
    expect(exp - iat).toBe(3600)
  })

  it('is refused by another start, even on the same port', async () => {
    const first = await startLocalIssuer({ uiOrigins: [ui] })
    const code = await codeFor(reading, first)
    await first.stop()
    const again = await anotherIssuer({ port: Number(new URL(first.issuer).port) })
    expect(await refusalFrom(await ask(exchange(code), { origin: ui }, again))).toBe('400 invalid_grant')
    expect(await refusalFrom(await ask(exchange(code)))).toBe('400 invalid_grant')
  })

  it('is not accepted as an access token, nor an access token as a code', async () => {
    const code = await codeFor()
    expect(await authenticator.authenticate(`Bearer ${code}`)).toMatchObject({ ok: false, error: 'invalid' })
    const { access_token } = await signIn()
    expect(await refusalFrom(await ask(exchange(access_token)))).toBe('400 invalid_grant')
    expect(await refusalFrom(await ask(exchange('made up')))).toBe('400 invalid_grant')
  })

  it('requires the redirect_uri of the UI, and stays valid after another one is refused', async () => {
    const code = await codeFor()
    for (const uri of [`${foreign}/sign-in/callback`, ui, `${ui}/sign-in/callback?x`, '']) {
      const form = { ...exchange(code), redirect_uri: uri }
      expect([uri, await refusalFrom(await ask(form))]).toEqual([uri, '400 invalid_grant'])
    }
    await tokensFrom(await ask(exchange(code)))
  })
})

describe('a refresh token', () => {
  it('yields the next token and the next refresh token while each is used once', async () => {
    let tokens = await signIn({ ...reading, subject: 'alice' })
    for (const _ of [1, 2, 3]) {
      const next = await tokensFrom(await ask(renewal(tokens.refresh_token)))
      expect(next.refresh_token).not.toBe(tokens.refresh_token)
      expect(next.access_token).not.toBe(tokens.access_token)
      expect(decodeJwt(next.access_token)).toMatchObject({ ...reading, sub: 'alice' })
      tokens = next
    }
  })

  it('ends its session when it is used again, including the newest refresh token', async () => {
    const first = await signIn()
    const second = await tokensFrom(await ask(renewal(first.refresh_token)))
    expect(await refusalFrom(await ask(renewal(first.refresh_token)))).toBe('400 invalid_grant')
    expect(await refusalFrom(await ask(renewal(second.refresh_token)))).toBe('400 invalid_grant')
    await signIn()
  })

  it('works once even for simultaneous requests', async () => {
    const { refresh_token } = await signIn()
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(renewal(refresh_token))))
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
    await Promise.all(answers.map((answer) => answer.text()))
  })

  it('yields fewer scopes on request, never more', async () => {
    const { refresh_token } = await signIn({ tenants: ['acme'], scope: 'documents:read documents:write' })
    const less = await tokensFrom(await ask({ ...renewal(refresh_token), scope: 'openid documents:read' }))
    expect([less.scope, decodeJwt(less.access_token).scope]).toEqual(['documents:read', 'documents:read'])
    const more = { ...renewal(less.refresh_token), scope: 'documents:write documents:admin' }
    const { scope, refresh_token: next } = await tokensFrom(await ask(more))
    expect(scope).toBe('documents:write')
    const none = await ask({ ...renewal(next), scope: 'documents:admin' })
    expect(await refusalFrom(none)).toBe('400 invalid_scope')
    expect((await tokensFrom(await ask(renewal(next)))).scope).toBe('documents:read documents:write')
  })

  it('is refused if it was not issued', async () => {
    const { refresh_token } = await signIn()
    const [family] = refresh_token.split('.')
    expect(await refusalFrom(await ask(renewal('made.up')))).toBe('400 invalid_grant')
    expect(await refusalFrom(await ask(renewal('')))).toBe('400 invalid_grant')
    expect(await refusalFrom(await ask(renewal(`${family}.guess`)))).toBe('400 invalid_grant')
  })

  it('yields tokens with the lifetime of the issuer', async () => {
    const brief = await anotherIssuer({ accessTokenSeconds: 5 })
    const answer = await ask(exchange(await codeFor(reading, brief)), { origin: ui }, brief)
    const { access_token, expires_in } = await tokensFrom(answer)
    const { exp = 0, iat = 0 } = decodeJwt(access_token)
    expect([expires_in, exp - iat]).toEqual([5, 5])
  })
})

describe('signing out', () => {
  const revoke = (token: string, headers = { origin: ui }, form: Form = client) =>
    send(`${issuer.issuer}/revoke`, { ...form, token }, headers)

  it('ends the session, and succeeds if there is none', async () => {
    const { refresh_token } = await signIn()
    const other = await signIn()
    expect((await revoke(refresh_token)).status).toBe(200)
    expect(await refusalFrom(await ask(renewal(refresh_token)))).toBe('400 invalid_grant')
    expect((await revoke(refresh_token)).status).toBe(200)
    expect((await revoke('made up')).status).toBe(200)
    await tokensFrom(await ask(renewal(other.refresh_token)))
  })

  it('is possible for the UI and its client only', async () => {
    const { refresh_token } = await signIn()
    expect((await revoke(refresh_token, { origin: foreign })).status).toBe(403)
    expect(await refusalFrom(await revoke(refresh_token, { origin: ui }, { client_id: 'other' }))).toBe(
      '400 invalid_client',
    )
    expect(await refusalFrom(await send(`${issuer.issuer}/revoke`, client, {}))).toBe('400 invalid_request')
    await tokensFrom(await ask(renewal(refresh_token)))
  })
})

describe('a request for tokens', () => {
  it('is refused with the error codes of RFC 6749', async () => {
    const code = await codeFor()
    const asked = async (form: Form | string) => refusalFrom(await ask(form))
    expect(await asked({ ...exchange(code), client_id: 'other' })).toBe('400 invalid_client')
    expect(await asked({ grant_type: 'authorization_code', code })).toBe('400 invalid_client')
    expect(await asked({ ...client, grant_type: 'password' })).toBe('400 unsupported_grant_type')
    expect(await asked(client)).toBe('400 unsupported_grant_type')
    expect(await asked({ ...client, grant_type: 'authorization_code' })).toBe('400 invalid_request')
    expect(await asked({ ...client, grant_type: 'refresh_token' })).toBe('400 invalid_request')
    expect(await asked(`${new URLSearchParams(exchange(code))}&code=${code}`)).toBe('400 invalid_request')
    const json = { 'content-type': 'application/json' }
    expect(await refusalFrom(await ask(JSON.stringify(exchange(code)), json))).toBe('400 invalid_request')
  })

  it('has to be a POST of a limited size', async () => {
    const got = await fetch(`${issuer.issuer}/token`)
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST'])
    expect((await ask({ ...client, grant_type: 'x'.repeat(20_000) })).status).toBe(413)
  })

  it('is answered to pages of the UI, and to programs other than browsers', async () => {
    const answer = await ask(exchange(await codeFor()))
    expect(answer.headers.get('access-control-allow-origin')).toBe(ui)
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
    expect(answer.headers.get('vary')).toBe('Origin')
    await tokensFrom(answer)
    const refused = await ask(exchange('made up'))
    expect(refused.headers.get('access-control-allow-origin')).toBe(ui)
    await refused.text()
    const program = await ask(exchange(await codeFor()), {})
    expect(program.headers.get('access-control-allow-origin')).toBeNull()
    await tokensFrom(program)
  })

  it('is refused to pages of another origin, and leaves the code valid', async () => {
    const code = await codeFor()
    for (const origin of [foreign, 'http://localhost:8080', 'https://127.0.0.1:8080', 'null']) {
      const response = await ask(exchange(code), { origin })
      expect([origin, response.status]).toEqual([origin, 403])
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
      expect(await response.text()).not.toContain('token')
    }
    await tokensFrom(await ask(exchange(code)))
  })
})

describe('a CORS preflight request to the issuer', () => {
  const preflight = (path: string, origin: string) =>
    fetch(`${issuer.issuer}${path}`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    })

  it('is answered to the UI with the allowed method and header', async () => {
    const { status, headers } = await preflight('/token', ui)
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-origin')).toBe(ui)
    expect(headers.get('access-control-allow-methods')).toBe('POST')
    expect(headers.get('access-control-allow-headers')).toBe('content-type')
  })

  it('is refused to every other origin', async () => {
    const { status, headers } = await preflight('/token', foreign)
    expect(status).toBe(403)
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('access-control-allow-methods')).toBeNull()
  })

  it('allows only the UI to read the metadata and the keys', async () => {
    for (const path of ['/.well-known/openid-configuration', '/jwks.json']) {
      const [ours, other] = await Promise.all(
        [ui, foreign].map((origin) => fetch(`${issuer.issuer}${path}`, { headers: { origin } })),
      )
      expect(ours?.headers.get('access-control-allow-origin')).toBe(ui)
      expect(other?.headers.get('access-control-allow-origin')).toBeNull()
      await Promise.all([ours?.text(), other?.text()])
    }
  })
})
