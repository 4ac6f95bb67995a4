import { afterEach, describe, expect, it } from 'bun:test'
import { IssuerRefusal, IssuerSilence } from '../../../../service/ui/session/issuer.ts'
import { createSession, type Session, SignedOutError } from '../../../../service/ui/session/session.ts'
import { lifetimeSeconds, principalOf } from '../../../../service/ui/session/token-claims.ts'
import { rejection } from '../../../support/client/client-service.ts'
import { openDom } from '../../../support/ui/ui-dom.ts'
import { startTokenEndpoint, type TokenEndpoint } from '../../../support/ui/ui-token-endpoint.ts'
import { until } from '../../../support/waiting.ts'

await openDom()
const { createOidcIssuer } = await import('../../../../service/ui/session/oidc-issuer.ts')

const origin = 'http://127.0.0.1:8080'
const sessions: Session[] = []

/** A session at the endpoint; it is over after the test, so that nothing is asked later. */
function sessionAt({ settings }: TokenEndpoint): Session {
  const session = createSession(createOidcIssuer(settings, origin, sessionStorage))
  sessions.push(session)
  return session
}

async function signedInAt(endpoint: TokenEndpoint): Promise<Session> {
  const session = sessionAt(endpoint)
  await session.start('one-time')
  return session
}

afterEach(async () => {
  for (const session of sessions.splice(0)) await session.signOut()
})

/** What a caller gets who asks now: the token, or that they still wait a little later. */
function ask(session: Session): Promise<string> {
  return Promise.race([session.accessToken(), Bun.sleep(50).then(() => 'waits')])
}

describe('A session', () => {
  it('begins with the code of a link, exchanged at the token endpoint', async () => {
    await using endpoint = startTokenEndpoint()
    const session = await signedInAt(endpoint)
    expect(session.state()).toMatchObject({
      status: 'signed-in',
      principal: { subject: 'alice', tenants: ['acme'] },
    })
    expect(endpoint.asked).toEqual([
      {
        ...{ grant_type: 'authorization_code', code: 'one-time', client_id: 'ui' },
        redirect_uri: `${origin}/sign-in/callback`,
      },
    ])
  })

  it('is signed out where the code was used before, and says why', async () => {
    await using endpoint = startTokenEndpoint()
    endpoint.answer = () => ({ error: 'invalid_grant' })
    const session = sessionAt(endpoint)
    await session.start('used')
    expect(session.state()).toMatchObject({ status: 'signed-out', error: { code: 'invalid_grant' } })
    expect(await rejection(session.accessToken())).toBeInstanceOf(SignedOutError)
  })

  it('continues after the page was loaded again, without asking the issuer', async () => {
    await using endpoint = startTokenEndpoint()
    const before = sessionAt(endpoint)
    await before.start('one-time')
    const token = await before.accessToken()
    const session = sessionAt(endpoint)
    await session.start(null)
    expect(await session.accessToken()).toBe(token)
    expect(endpoint.asked).toHaveLength(1)
  })

  it('keeps tokens in the storage of the tab, and nowhere else', async () => {
    await using endpoint = startTokenEndpoint()
    const session = await signedInAt(endpoint)
    const token = await session.accessToken()
    expect(Object.values(sessionStorage).join()).toContain(token)
    expect(localStorage.length).toBe(0)
    expect(document.cookie).toBe('')
    await session.signOut()
    expect(Object.values(sessionStorage).join()).not.toContain(token)
  })

  it('is revoked when the person signs out, after the tab has forgotten it', async () => {
    await using endpoint = startTokenEndpoint({}, { revocation: true })
    const session = await signedInAt(endpoint)
    const token = await session.accessToken()
    let stored = 'not asked'
    endpoint.answer = () => {
      stored = Object.values(sessionStorage).join()
      return {}
    }
    await session.signOut()
    const revoked = endpoint.asked.slice(1)
    expect(revoked.map(({ token_type_hint }) => token_type_hint)).toEqual(['refresh_token', 'access_token'])
    expect(revoked[1]?.token).toBe(token)
    expect(stored).not.toContain(token)
  })

  it('renews its token ahead of its end, by itself', async () => {
    await using endpoint = startTokenEndpoint()
    endpoint.answer = ({ grant_type }) => ({ seconds: grant_type === 'refresh_token' ? 300 : 1 })
    const session = await signedInAt(endpoint)
    await until(() => endpoint.asked.length === 2)
    expect(endpoint.asked[1]).toMatchObject({ grant_type: 'refresh_token' })
    expect(session.state().status).toBe('signed-in')
  })

  it('renews once, however many ask', async () => {
    await using endpoint = startTokenEndpoint()
    const session = await signedInAt(endpoint)
    session.refuse(await session.accessToken())
    const tokens = await Promise.all(Array.from({ length: 20 }, () => session.accessToken()))
    expect(new Set(tokens).size).toBe(1)
    expect(endpoint.asked).toHaveLength(2)
  })

  it('sends the refresh token that came last, since each is good once', async () => {
    await using endpoint = startTokenEndpoint()
    let turn = 0
    endpoint.answer = () => ({ refreshToken: `turn-${turn++}` })
    const session = await signedInAt(endpoint)
    session.refuse(await session.accessToken())
    session.refuse(await session.accessToken())
    await session.accessToken()
    expect(endpoint.asked.slice(1).map(({ refresh_token }) => refresh_token)).toEqual(['turn-0', 'turn-1'])
  })

  it('lives as long as its token says, where the issuer does not tell', async () => {
    await using endpoint = startTokenEndpoint()
    endpoint.answer = () => ({ tellsLife: false })
    const session = await signedInAt(endpoint)
    const token = await session.accessToken()
    await Bun.sleep(50)
    expect(await session.accessToken()).toBe(token)
    expect(endpoint.asked).toHaveLength(1)
  })

  it('renews no sooner than after two thirds, where the token does not tell when it was issued', async () => {
    await using endpoint = startTokenEndpoint()
    endpoint.answer = () => ({ tellsLife: false, seconds: 30 })
    const session = await signedInAt(endpoint)
    await session.accessToken()
    await Bun.sleep(50)
    expect(endpoint.asked).toHaveLength(1)
  })

  it('leaves nothing in the tab of tokens that were on their way when the person signed out', async () => {
    await using endpoint = startTokenEndpoint({}, { revocation: true })
    const session = await signedInAt(endpoint)
    const late = Promise.withResolvers<void>()
    endpoint.answer = async ({ grant_type }) => {
      if (grant_type === 'refresh_token') await late.promise
      return { refreshToken: 'late-refresh' }
    }
    session.refuse(await session.accessToken())
    void session.accessToken().catch(() => undefined)
    await until(() => endpoint.asked.length === 2)
    await session.signOut()
    late.resolve()
    await until(() => endpoint.asked.some(({ token }) => token === 'late-refresh'))
    expect(Object.keys(sessionStorage).filter((key) => key.startsWith('oidc.user:'))).toEqual([])
    expect(session.state()).toMatchObject({ status: 'signed-out' })
  })
})

describe('A session that cannot be renewed', () => {
  it('has ended if all new tokens are past their end, and does not ask without end', async () => {
    await using endpoint = startTokenEndpoint()
    const session = sessionAt(endpoint)
    endpoint.answer = () => ({ seconds: -1 })
    await session.start('one-time')
    await until(() => session.state().status === 'ended')
    await Bun.sleep(50)
    expect(endpoint.asked).toHaveLength(2)
    expect(session.state()).toMatchObject({ error: expect.any(IssuerSilence) })
  })

  it('has ended, and lets callers wait until the person signs in again', async () => {
    await using endpoint = startTokenEndpoint()
    const session = await signedInAt(endpoint)
    endpoint.answer = () => ({ error: 'invalid_grant' })
    session.refuse(await session.accessToken())
    const waiting = session.accessToken()
    await until(() => session.state().status === 'ended')
    expect(await ask(session)).toBe('waits')
    endpoint.answer = () => ({})
    await session.acceptLink('another')
    expect(await waiting).toBe(await session.accessToken())
    expect(session.state().status).toBe('signed-in')
  })

  it('gives nothing to calls that waited for someone else', async () => {
    await using endpoint = startTokenEndpoint()
    const session = await signedInAt(endpoint)
    endpoint.answer = () => ({ error: 'invalid_grant' })
    session.refuse(await session.accessToken())
    const waiting = rejection(session.accessToken())
    await until(() => session.state().status === 'ended')
    endpoint.answer = () => ({ subject: 'bob' })
    await session.acceptLink('another')
    expect(await waiting).toBeInstanceOf(SignedOutError)
    expect(principalOf(await session.accessToken()).subject).toBe('bob')
  })

  it('has ended at once where the issuer gave no refresh token', async () => {
    await using endpoint = startTokenEndpoint()
    endpoint.answer = () => ({ refreshToken: null })
    const session = await signedInAt(endpoint)
    session.refuse(await session.accessToken())
    void session.accessToken().catch(() => undefined)
    await until(() => session.state().status === 'ended')
    expect(endpoint.asked).toHaveLength(1)
  })

  it('continues with its token while that is valid, if the issuer does not answer for now', async () => {
    await using endpoint = startTokenEndpoint()
    endpoint.answer = () => ({ seconds: 2 })
    const session = await signedInAt(endpoint)
    const token = await session.accessToken()
    endpoint.answer = () => ({ page: true })
    await until(() => endpoint.asked.length >= 2)
    expect(session.state().status).toBe('signed-in')
    expect(await session.accessToken()).toBe(token)
  })

  it('says that the issuer is silent, once the token is dead', async () => {
    await using endpoint = startTokenEndpoint()
    const session = await signedInAt(endpoint)
    session.refuse(await session.accessToken())
    await endpoint.stop()
    void session.accessToken().catch(() => undefined)
    await until(() => session.state().status === 'ended')
    expect(session.state()).toMatchObject({ error: expect.any(IssuerSilence) })
  })
})

describe('An issuer', () => {
  it('has a page to sign in at, or does not', async () => {
    await using without = startTokenEndpoint()
    await using withPage = startTokenEndpoint({ authorization_endpoint: 'https://id.example.com/authorize' })
    const hasPage = ({ settings }: TokenEndpoint) =>
      createOidcIssuer(settings, origin, sessionStorage).hasSignInPage()
    expect(await hasPage(without)).toBe(false)
    expect(await hasPage(withPage)).toBe(true)
  })

  it('never receives the code of a link if it has a sign-in page: an attacker could plant a sign-in', async () => {
    await using endpoint = startTokenEndpoint({ authorization_endpoint: 'https://id.example.com/authorize' })
    const session = sessionAt(endpoint)
    await session.start('planted')
    expect(session.state()).toMatchObject({ status: 'signed-out', error: { code: 'links_not_taken' } })
    expect(endpoint.asked).toEqual([])
  })

  it('does not take an answer that belongs to no sign-in of this tab', async () => {
    await using endpoint = startTokenEndpoint({ authorization_endpoint: 'https://id.example.com/authorize' })
    const issuer = createOidcIssuer(endpoint.settings, origin, sessionStorage)
    const error = await rejection(issuer.completeSignIn(`${origin}/sign-in/callback?code=x&state=unknown`))
    expect(error).toBeInstanceOf(IssuerRefusal)
    expect(error).toMatchObject({ code: 'state_unknown' })
    expect(endpoint.asked).toEqual([])
  })
})

describe('principalOf', () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = (payload: unknown) => `${encode({})}.${encode(payload)}.x`

  it('reads who the person is, of which tenants, and what they may do', () => {
    const claims = { sub: 'ädä', tenants: ['acme', 'globex'], scope: 'documents:read  documents:write' }
    expect(principalOf(token(claims))).toEqual({
      subject: 'ädä',
      tenants: ['acme', 'globex'],
      scopes: ['documents:read', 'documents:write'],
    })
  })

  it('is a person without permissions for any other token', () => {
    const noPrincipal = { subject: '', tenants: [], scopes: [] }
    expect(principalOf('opaque')).toEqual(noPrincipal)
    expect(principalOf('a.%%%.c')).toEqual(noPrincipal)
    expect(principalOf(token(null))).toEqual(noPrincipal)
    expect(principalOf(token({ sub: 1, tenants: ['../x', 7], scope: [] }))).toEqual(noPrincipal)
  })

  it('knows how long a token lives, where it tells', () => {
    expect(lifetimeSeconds(token({ iat: 100, exp: 160 }))).toBe(60)
    expect(lifetimeSeconds(token({ exp: 160 }))).toBeNull()
  })
})
