import { describe, expect, it } from 'bun:test'
import { createAuthenticator } from '../../../../service/authn/authenticator.ts'
import type { KeyTimes } from '../../../../service/authn/issuer-keys.ts'
import { keyFor, startIssuerForTests } from '../../../support/issuers/issuer-for-tests.ts'
import { stoppedAfterTests } from '../../../support/stop-at-the-end.ts'

const issuer = stoppedAfterTests(await startIssuerForTests())
const authenticator = createAuthenticator(issuer)

async function outcomeOf(token: string, subject = authenticator): Promise<string> {
  const result = await subject.authenticate(`Bearer ${token}`)
  return result.ok ? 'accepted' : `${result.error}: ${result.description}`
}

function kidOf(token: string): string {
  const [header = ''] = token.split('.')
  return JSON.parse(Buffer.from(header, 'base64url').toString()).kid
}

const seconds = (offset: number) => Math.floor(Date.now() / 1000) + offset

describe('createAuthenticator', () => {
  it('tells subject, tenants, scopes and client of a good token', async () => {
    const token = await issuer.token({ tenants: ['acme', 'globex'], scope: 'openid documents:read' })
    expect(await authenticator.authenticate(`Bearer ${token}`)).toEqual({
      ok: true,
      principal: {
        subject: 'alice',
        tenants: new Set(['acme', 'globex']),
        scopes: new Set(['documents:read']),
        clientId: issuer.clientId,
      },
    })
  })

  it('reads the scheme without case and refuses another scheme', async () => {
    const token = await issuer.token()
    expect(await authenticator.authenticate(`bEARER ${token}`)).toMatchObject({ ok: true })
    expect(await authenticator.authenticate(`Basic ${token}`)).toMatchObject({
      ok: false,
      error: 'malformed',
    })
  })

  it('tells a missing header from a malformed one', async () => {
    expect(await authenticator.authenticate(null)).toMatchObject({ error: 'missing' })
    expect(await authenticator.authenticate('')).toMatchObject({ error: 'missing' })
    expect(await authenticator.authenticate('Bearer')).toMatchObject({ error: 'malformed' })
    expect(await authenticator.authenticate('Bearer one two')).toMatchObject({ error: 'malformed' })
  })

  it('refuses two tokens that arrive joined in one header', async () => {
    const token = await issuer.token()
    const joined = `Bearer ${token}, Bearer ${token}`
    expect(await authenticator.authenticate(joined)).toMatchObject({ error: 'malformed' })
  })

  it('takes a token of 8 KiB and refuses one that is longer', async () => {
    const within = await issuer.token({ note: 'n'.repeat(5000) })
    const beyond = await issuer.token({ note: 'n'.repeat(7000) })
    expect(within.length).toBeLessThan(8192)
    expect(beyond.length).toBeGreaterThan(8192)
    expect(await outcomeOf(within)).toBe('accepted')
    expect(await authenticator.authenticate(`Bearer ${beyond}`)).toMatchObject({ error: 'malformed' })
  })

  it('never repeats a part of the token in its description', async () => {
    const token = await issuer.token({ iss: 'https://evil.example/canary-issuer' })
    expect(await outcomeOf(token)).toBe('invalid: The token is not accepted: it comes from another issuer.')
  })
})

describe('signature', () => {
  it('is accepted with RS256, PS256, ES256 and EdDSA', async () => {
    await using own = await startIssuerForTests()
    const subject = createAuthenticator({ ...own, keyTimes: always })
    for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
      await own.addKey(algorithm)
      expect(await outcomeOf(await own.token(), subject)).toBe('accepted')
    }
  })

  it('is refused with an algorithm outside the list, although the key is published', async () => {
    await using own = await startIssuerForTests()
    const subject = createAuthenticator(own)
    await own.addKey('RS512')
    expect(await outcomeOf(await own.token(), subject)).toContain('its algorithm is not allowed')
  })

  it('is refused when absent (alg none)', async () => {
    expect(await outcomeOf(await issuer.unsignedToken())).toStartWith('invalid')
  })

  it('is refused when made by HMAC with the public key as the secret', async () => {
    expect(await outcomeOf(await issuer.publicKeyAsSecretToken())).toContain('its algorithm is not allowed')
  })

  it('is refused when made with an unknown key under a published key id', async () => {
    const kid = kidOf(await issuer.token())
    const unknownKey = await keyFor('ES256')
    const token = await issuer.sign({ key: unknownKey, header: { kid } })
    expect(await outcomeOf(token)).toContain('signature does not verify')
  })

  it('is refused when the payload was changed afterwards', async () => {
    const [header, , signature] = (await issuer.token()).split('.')
    const [, payload] = (await issuer.token({ tenants: ['globex'] })).split('.')
    expect(await outcomeOf(`${header}.${payload}.${signature}`)).toContain('signature does not verify')
  })

  it('is refused when the token brings its own key along', async () => {
    const unknownKey = await keyFor('ES256')
    const { d: _private, ...jwk } = unknownKey
    const token = await issuer.sign({ key: unknownKey, header: { jwk, jku: 'http://127.0.0.1:9/jwks.json' } })
    expect(await outcomeOf(token)).toContain('no key that matches')
  })

  it('is refused on a critical header that we do not know', async () => {
    const token = await issuer.sign({ header: { crit: ['urn:example:b'], 'urn:example:b': true } })
    expect(await outcomeOf(token)).toStartWith('invalid')
  })

  it('is refused on text that is no token at all', async () => {
    expect(await outcomeOf('hello')).toBe('invalid: The token is not accepted: it is not a signed JWT.')
  })
})

describe('claims', () => {
  it('need the issuer', async () => {
    expect(await outcomeOf(await issuer.token({ iss: issuer.issuer }))).toBe('accepted')
    expect(await outcomeOf(await issuer.token({ iss: `${issuer.issuer}/` }))).toContain('another issuer')
    expect(await outcomeOf(await issuer.token({ iss: undefined }))).toContain('"iss" is missing')
  })

  it('need our audience, alone or among others', async () => {
    expect(await outcomeOf(await issuer.token({ aud: ['other', issuer.audience] }))).toBe('accepted')
    expect(await outcomeOf(await issuer.token({ aud: 'other' }))).toContain('another audience')
    expect(await outcomeOf(await issuer.token({ aud: undefined }))).toContain('"aud" is missing')
  })

  it('need an expiry that has not passed, give or take half a minute', async () => {
    expect(await outcomeOf(await issuer.token({ exp: seconds(-10) }))).toBe('accepted')
    expect(await outcomeOf(await issuer.token({ exp: seconds(-60) }))).toBe('expired: The token has expired.')
    expect(await outcomeOf(await issuer.token({ exp: undefined }))).toContain('"exp" is missing')
    expect(await outcomeOf(await issuer.token({ exp: 'tomorrow' }))).toContain('"exp" is not well formed')
  })

  it('may have a start, give or take half a minute, but not in the future', async () => {
    expect(await outcomeOf(await issuer.token({ nbf: seconds(10) }))).toBe('accepted')
    expect(await outcomeOf(await issuer.token({ nbf: seconds(120) }))).toContain('not valid yet')
  })

  it('come in an access token or a plain JWT, not in a token for something else', async () => {
    expect(await outcomeOf(await issuer.sign({ header: { typ: 'JWT' } }))).toBe('accepted')
    expect(await outcomeOf(await issuer.sign({ header: { typ: 'application/at+jwt' } }))).toBe('accepted')
    expect(await outcomeOf(await issuer.sign({ header: { typ: 'logout+jwt' } }))).toContain('"typ"')
    expect(await outcomeOf(await issuer.sign({ header: { typ: undefined } }))).toContain('"typ"')
  })

  it('are refused if only an ID token has them, whatever type its header says', async () => {
    const refusal = 'invalid: The token is not accepted: it is an ID token: send the access token.'
    const idClaims = [
      { nonce: 'n' },
      { at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' },
      { c_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' },
      { typ: 'ID' },
      { token_use: 'id' },
    ]
    for (const claims of idClaims) {
      expect(await outcomeOf(await issuer.sign({ header: { typ: 'JWT' }, claims }))).toBe(refusal)
      expect(await outcomeOf(await issuer.token(claims))).toBe(refusal)
    }
    expect(await outcomeOf(await issuer.token({ typ: 'Bearer', token_use: 'access' }))).toBe('accepted')
  })

  it('name a printable subject of at most 255 characters', async () => {
    expect(await outcomeOf(await issuer.token({ sub: 'a'.repeat(255) }))).toBe('accepted')
    expect(await outcomeOf(await issuer.token({ sub: 'auth0|svc deploy' }))).toBe('accepted')
    expect(await outcomeOf(await issuer.token({ sub: 'a'.repeat(256) }))).toContain('"sub"')
    expect(await outcomeOf(await issuer.token({ sub: 'a\nb' }))).toContain('"sub"')
    expect(await outcomeOf(await issuer.token({ sub: 'zoë' }))).toContain('"sub"')
    expect(await outcomeOf(await issuer.token({ sub: '' }))).toContain('"sub"')
    expect(await outcomeOf(await issuer.token({ sub: 7 }))).toContain('"sub"')
    expect(await outcomeOf(await issuer.token({ sub: undefined }))).toContain('"sub" is missing')
  })

  it('list tenants, every one of them a DNS label, at most 100', async () => {
    const hundred = Array.from({ length: 100 }, (_, index) => `t${index}`)
    expect(await outcomeOf(await issuer.token({ tenants: hundred }))).toBe('accepted')
    expect(await outcomeOf(await issuer.token({ tenants: [] }))).toBe('accepted')
    expect(await outcomeOf(await issuer.token({ tenants: [...hundred, 'one-more'] }))).toContain('"tenants"')
    expect(await outcomeOf(await issuer.token({ tenants: ['acme', 'Acme'] }))).toContain('"tenants"')
    expect(await outcomeOf(await issuer.token({ tenants: ['acme', '../acme'] }))).toContain('"tenants"')
    expect(await outcomeOf(await issuer.token({ tenants: ['acme\n'] }))).toContain('"tenants"')
    expect(await outcomeOf(await issuer.token({ tenants: [['acme']] }))).toContain('"tenants"')
    expect(await outcomeOf(await issuer.token({ tenants: 'acme' }))).toContain('"tenants"')
    expect(await outcomeOf(await issuer.token({ tenants: undefined }))).toContain('"tenants" is missing')
  })

  it('may leave the scope out, which gives none, but not hold something else than a text', async () => {
    const token = await issuer.token({ scope: undefined })
    expect(await authenticator.authenticate(`Bearer ${token}`)).toMatchObject({
      principal: { scopes: new Set() },
    })
    expect(await outcomeOf(await issuer.token({ scope: ['documents:read'] }))).toContain('"scope"')
  })
})

/** No caching and no waiting between two looks at the issuer. */
const always: KeyTimes = {
  cacheSeconds: 600,
  staleSeconds: 0,
  cooldownSeconds: 0,
  retrySeconds: 0,
  timeoutSeconds: 5,
}

describe('keys of the issuer', () => {
  it('are read again when a token names a new one (rotation), and a dropped one stops working', async () => {
    await using own = await startIssuerForTests()
    const fresh: KeyTimes = { ...always, cacheSeconds: 0 }
    const subject = createAuthenticator({ ...own, keyTimes: always })
    const withoutCache = createAuthenticator({ ...own, keyTimes: fresh })
    const before = await own.sign({})
    expect(await outcomeOf(before, subject)).toBe('accepted')
    await own.addKey()
    const after = await own.token()
    own.dropKey(kidOf(before))
    expect(await outcomeOf(after, subject)).toBe('accepted')
    expect(await outcomeOf(before, withoutCache)).toContain('no key that matches')
  })

  it('are asked for once by many tokens at once, and once per cool-down for unknown key ids', async () => {
    await using own = await startIssuerForTests()
    let requests = 0
    const counted = createAuthenticator({
      ...own,
      fetch: (url, init) => {
        requests += 1
        return fetch(url, init)
      },
    })
    const tokens = await Promise.all(Array.from({ length: 20 }, () => own.token()))
    await Promise.all(tokens.map((token) => counted.authenticate(`Bearer ${token}`)))
    expect(requests).toBe(1)
    const unknownKey = await keyFor('ES256')
    const forged = await Promise.all(Array.from({ length: 20 }, () => own.sign({ key: unknownKey })))
    await Promise.all(forged.map((token) => counted.authenticate(`Bearer ${token}`)))
    expect(requests).toBe(1)
  })

  it('leave every token undecided, never accepted, while they cannot be reached', async () => {
    await using own = await startIssuerForTests()
    const token = await own.token()
    await own.stop()
    const subject = createAuthenticator(own)
    const result = await subject.authenticate(`Bearer ${token}`)
    expect(result).toMatchObject({ ok: false, error: 'unavailable' })
    expect(result).toHaveProperty('cause')
  })

  it('are used for a while after the issuer has failed, counted, and not for a new key', async () => {
    await using own = await startIssuerForTests()
    const reports: string[] = []
    let isDown = false
    const subject = createAuthenticator({
      ...own,
      keyTimes: { ...always, cacheSeconds: 0, staleSeconds: 600 },
      fetch: (url, init) => fetch(isDown ? url.replace('/jwks.json', '/absent') : url, init),
      reports: {
        turned: (state, cause) => void reports.push(cause === undefined ? state : `${state}: ${cause}`),
        staleKeyUsed: () => void reports.push('stale key used'),
      },
    })
    expect(await outcomeOf(await own.token(), subject)).toBe('accepted')
    const [second, third] = [await own.token({ jti: '2' }), await own.token({ jti: '3' })]
    await own.addKey()
    const ofNewKey = await own.token()
    isDown = true
    expect(await outcomeOf(second, subject)).toBe('accepted')
    expect(await outcomeOf(third, subject)).toBe('accepted')
    expect(await outcomeOf(ofNewKey, subject)).toStartWith('unavailable')
    const failing = 'failing: Error: the issuer answered 404 for its keys'
    expect(reports).toEqual([failing, ...Array.from({ length: 3 }, () => 'stale key used')])
    isDown = false
    expect(await outcomeOf(ofNewKey, subject)).toBe('accepted')
  })

  it('are used while an issuer that failed keeps every request waiting', async () => {
    await using own = await startIssuerForTests()
    const { promise: never } = Promise.withResolvers<Response>()
    const answers: (() => Promise<Response>)[] = [
      () => fetch(own.jwksUrl),
      () => Promise.reject(new Error('refused')),
    ]
    const subject = createAuthenticator({
      ...own,
      keyTimes: { ...always, cacheSeconds: 0, staleSeconds: 600 },
      fetch: () => answers.shift()?.() ?? never,
    })
    for (const jti of ['first', 'after the failure', 'during the silence', 'still during it'])
      expect([jti, await outcomeOf(await own.token({ jti }), subject)]).toEqual([jti, 'accepted'])
  })

  it('are had again once the issuer is back', async () => {
    await using own = await startIssuerForTests()
    let isDown = true
    const subject = createAuthenticator({
      ...own,
      keyTimes: always,
      fetch: (url, init) => fetch(isDown ? url.replace('/jwks.json', '/absent') : url, init),
    })
    const token = await own.token()
    expect(await outcomeOf(token, subject)).toStartWith('unavailable')
    isDown = false
    expect(await outcomeOf(token, subject)).toBe('accepted')
  })

  it('are not asked for by every request while the issuer is down', async () => {
    await using own = await startIssuerForTests()
    let requests = 0
    const subject = createAuthenticator({
      ...own,
      fetch: (url, init) => {
        requests += 1
        return fetch(url.replace('/jwks.json', '/absent'), init)
      },
      keyTimes: { ...always, retrySeconds: 600 },
    })
    expect(await outcomeOf(await own.token(), subject)).toStartWith('unavailable')
    expect(await outcomeOf(await own.token(), subject)).toStartWith('unavailable')
    expect(requests).toBe(1)
  })

  it('leave tokens undecided when they never come, come from elsewhere or are no key set', async () => {
    await using own = await startIssuerForTests()
    const odd = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      routes: {
        '/silent': () => new Promise<Response>(() => {}),
        '/elsewhere': () => Response.redirect(own.jwksUrl),
        '/page': () => new Response('<html>'),
        '/huge': () => new Response(`{"keys":[],"more":"${'x'.repeat(512 * 1024)}"}`),
      },
    })
    const token = await own.token()
    const outcomeAt = (path: string) => {
      const jwksUrl = new URL(path, odd.url).href
      return outcomeOf(
        token,
        createAuthenticator({ ...own, jwksUrl, keyTimes: { ...always, timeoutSeconds: 1 } }),
      )
    }
    expect(await outcomeAt('/silent')).toStartWith('unavailable')
    expect(await outcomeAt('/elsewhere')).toStartWith('unavailable')
    expect(await outcomeAt('/page')).toStartWith('unavailable')
    expect(await outcomeAt('/huge')).toStartWith('unavailable')
    await odd.stop(true)
  })
})

describe('a verified token', () => {
  it('is remembered for 30 seconds, and not a moment past its expiry', async () => {
    await using own = await startIssuerForTests()
    let now = new Date()
    const subject = createAuthenticator({
      ...own,
      clock: () => now,
      keyTimes: { ...always, cacheSeconds: 0 },
    })
    const long = await own.token()
    const short = await own.token({ exp: Math.floor(now.getTime() / 1000) + 20 })
    expect(await outcomeOf(long, subject)).toBe('accepted')
    expect(await outcomeOf(short, subject)).toBe('accepted')
    await own.stop()

    now = new Date(now.getTime() + 19_000)
    expect(await outcomeOf(long, subject)).toBe('accepted')
    now = new Date(now.getTime() + 2000)
    expect(await outcomeOf(long, subject)).toBe('accepted')
    expect(await outcomeOf(short, subject)).toStartWith('unavailable')
    now = new Date(now.getTime() + 10_000)
    expect(await outcomeOf(long, subject)).toStartWith('unavailable')
  })
})
