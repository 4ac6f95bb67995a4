import { describe, expect, it } from 'bun:test'
import { inspect } from 'node:util'
import { describeError, redact, redactText, registerSecret } from '../../../../service/telemetry/redaction.ts'
import { Secret } from '../../../../service/telemetry/secret.ts'

describe('Secret', () => {
  it('gives its text only to reveal()', () => {
    const value = crypto.randomUUID()
    const secret = new Secret(value)
    expect(secret.reveal()).toBe(value)
    const printed = [
      String(secret),
      `${secret}`,
      [secret].join(),
      JSON.stringify({ secret }),
      inspect([secret], { showHidden: true }),
      inspect(secret, { customInspect: false, showHidden: true }),
      Bun.inspect({ deep: { secret } }),
      JSON.stringify(Object.entries(secret)),
    ]
    expect(printed.join()).not.toContain(value)
    expect(printed.slice(0, 4)).toEqual(['[redacted]', '[redacted]', '[redacted]', '{"secret":"[redacted]"}'])
  })
})

describe('redactText', () => {
  it('leaves ordinary texts as they are', () => {
    const texts = [
      'tenants/acme/documents/definitions/orders.tgz',
      `sha256:${'ab'.repeat(32)}`,
      'the bearer of bad news',
      'https://store.example.com/bucket/key?list-type=2&prefix=docs%2F',
      'basic authentication is not offered',
    ]
    expect(texts.map(redactText)).toEqual(texts)
  })

  it('takes the credentials out of a signed URL and leaves the rest', () => {
    const signed =
      'https://store/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261123&X-Amz-Expires=60' +
      '&X-Amz-Security-Token=FwoG&x-amz-signature=0a1b2c'
    expect(redactText(`GET ${signed} failed`)).toBe(
      'GET https://store/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=[redacted]&X-Amz-Expires=60' +
        '&X-Amz-Security-Token=[redacted]&x-amz-signature=[redacted] failed',
    )
  })

  it('takes the same out of a URL that was encoded into another', () => {
    const nested = `https://a/?to=${encodeURIComponent('https://b/?X-Amz-Signature=0a1b2c')}`
    expect(redactText(nested)).toBe('https://a/?to=https%3A%2F%2Fb%2F%3FX-Amz-Signature%3D[redacted]')
  })

  it('takes out the Authorization header of a signed request', () => {
    const header =
      'AWS4-HMAC-SHA256 Credential=AKIA/20261123/x/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=0a1b2c'
    expect(redactText(header)).toBe('AWS4-HMAC-SHA256 [redacted]')
  })

  it('takes out tokens, with or without their scheme', () => {
    const token = `eyJhbGciOiJFUzI1NiJ9.${'a'.repeat(20)}.${'b'.repeat(20)}`
    expect(redactText(`token ${token}.`)).not.toContain('aaaa')
    expect(redactText(`Authorization: Bearer ${token}`)).toBe('Authorization: Bearer [redacted]')
    expect(redactText('Authorization: Bearer 0123456789abcdefXYZ')).toBe('Authorization: Bearer [redacted]')
    expect(redactText('Basic dXNlcjpwYXNzd29yZA==')).toBe('Basic [redacted]')
  })

  it('takes out user-info and private keys', () => {
    expect(redactText('connect to https://user:pass@store.example.com/x')).toBe(
      'connect to https://[redacted]@store.example.com/x',
    )
    const pem = ['-----BEGIN EC PRIVATE KEY-----', 'MHcCAQEE', '-----END EC PRIVATE KEY-----'].join('\n')
    expect(redactText(`key:\n${pem}\nend`)).toBe('key:\n[redacted]\nend')
    expect(redactText(pem.slice(0, 40))).toBe('[redacted]')
  })

  it('takes out registered secrets wherever they stand, also percent-encoded, until they are forgotten', () => {
    const value = `s3cr/et+${crypto.randomUUID()}`
    const forget = registerSecret(new Secret(value))
    expect(redactText(`<${value}${value}>`)).toBe('<[redacted][redacted]>')
    expect(redactText(`?key=${encodeURIComponent(value)}`)).toBe('?key=[redacted]')
    forget()
    expect(redactText(value)).toBe(value)
  })

  it('keeps a secret that was registered twice until both are forgotten', () => {
    const value = crypto.randomUUID()
    const forgetOne = registerSecret(new Secret(value))
    const forgetOther = registerSecret(new Secret(value))
    forgetOne()
    expect(redactText(value)).toBe('[redacted]')
    forgetOther()
    expect(redactText(value)).toBe(value)
  })

  it('is not turned off by an empty secret', () => {
    const forget = registerSecret(new Secret(''))
    expect(redactText('abc')).toBe('abc')
    forget()
  })

  it('has no text that keeps it busy', () => {
    const long = 100_000
    expect(redactText(`${'a'.repeat(long)}://`)).toHaveLength(4097)
    expect(redactText('-eyJ'.repeat(long))).toHaveLength(4097)
    expect(redactText(`AWS4-HMAC-SHA256 ${'a='.repeat(long)}`)).toBe('AWS4-HMAC-SHA256 [redacted]')
    expect(redactText('-----BEGIN PRIVATE KEY-----'.repeat(long))).toBe('[redacted]')
  })

  it('cuts what is too long, after redaction', () => {
    expect(redactText('x'.repeat(5000))).toBe(`${'x'.repeat(4096)}…`)
    expect(redactText(`${'x'.repeat(4090)} Bearer ${'t'.repeat(200)}`)).not.toContain('tt')
  })
})

describe('redact', () => {
  it('hides values under names that hold secrets, however these are written', () => {
    expect(
      redact({
        Authorization: 'x',
        'set-cookie': ['a=b'],
        secret_access_key: 'x',
        secretAccessKey: 'x',
        'X-Amz-Security-Token': 'x',
        ticket: { any: 'thing' },
        tenant: 'acme',
        tokens: 3,
      }),
    ).toEqual({
      Authorization: '[redacted]',
      'set-cookie': '[redacted]',
      secret_access_key: '[redacted]',
      secretAccessKey: '[redacted]',
      'X-Amz-Security-Token': '[redacted]',
      ticket: '[redacted]',
      tenant: 'acme',
      tokens: 3,
    })
  })

  it('says when a secret is absent', () => {
    expect(redact({ ticket: null, token: undefined })).toEqual({ ticket: null, token: undefined })
  })

  it('walks lists, sets and maps', () => {
    const value = {
      list: ['Bearer 0123456789abcdefXYZ'],
      set: new Set([1n]),
      map: new Map([['cookie', 'a']]),
    }
    expect(redact(value)).toEqual({ list: ['Bearer [redacted]'], set: ['1'], map: { cookie: '[redacted]' } })
  })

  it('scrubs names of fields too', () => {
    expect(redact({ 'Bearer 0123456789abcdefXYZ': 1 })).toEqual({ 'Bearer [redacted]': 1 })
  })

  it('shows times and URLs as text, bytes by their number, secrets and other instances by name only', () => {
    expect(
      redact({
        at: new Date(0),
        never: new Date(Number.NaN),
        url: new URL('https://s/?X-Amz-Signature=1'),
        body: new Uint8Array(3),
        key: new Secret('x'),
        headers: new Headers({ authorization: 'Bearer x' }),
        request: new Request('https://s/?X-Amz-Signature=1'),
        run: () => 1,
      }),
    ).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      never: 'Invalid Date',
      url: 'https://s/?X-Amz-Signature=[redacted]',
      body: '[3 bytes]',
      key: '[redacted]',
      headers: '[Headers]',
      request: '[Request]',
      run: undefined,
    })
  })

  it('ends in rings, in the depth and in length', () => {
    const ring: Record<string, unknown> = {}
    ring.self = ring
    expect(JSON.stringify(redact(ring))).toContain('[too deep]')
    expect(redact(Array.from({ length: 102 }, (_, index) => index))).toHaveLength(101)
    expect(redact(new Array(102).fill(0))).toContain('[2 more]')
    const wide = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`f${index}`, index]))
    expect(Object.keys(redact(wide) as object)).toHaveLength(100)
  })
})

describe('describeError', () => {
  it('shows name, code, message and causes, and where it came from', () => {
    const cause = Object.assign(new TypeError('socket closed'), { code: 'ECONNRESET' })
    const shown = describeError(new Error('put failed', { cause }))
    expect(shown).toMatchObject({
      name: 'Error',
      message: 'put failed',
      cause: { name: 'TypeError', code: 'ECONNRESET', message: 'socket closed' },
    })
    expect(shown.stack?.[0]).toStartWith('at ')
  })

  it('shows nothing that an SDK hangs on its errors', () => {
    const error = Object.assign(new Error('AccessDenied'), {
      $response: { headers: { 'x-amz-id': 'canary' }, body: 'canary' },
      $metadata: { requestId: 'canary' },
      config: { credentials: 'canary' },
    })
    expect(JSON.stringify([describeError(error), redact({ error })])).not.toContain('canary')
  })

  it('scrubs messages, also of causes and of several errors together', () => {
    const leak = 'https://s/?X-Amz-Signature=canary'
    const error = new AggregateError([new Error(leak), leak], leak, { cause: leak })
    expect(JSON.stringify(describeError(error))).not.toContain('canary')
  })

  it('ends in a ring of causes', () => {
    const error = new Error('ring')
    error.cause = error
    expect(JSON.stringify(describeError(error)).split('"ring"')).toHaveLength(6)
  })

  it('takes whatever was thrown', () => {
    expect(describeError('Bearer 0123456789abcdefXYZ')).toEqual({
      name: 'Thrown',
      message: 'Bearer [redacted]',
    })
    expect(describeError(undefined)).toEqual({ name: 'Thrown', message: 'undefined' })
    expect(describeError({ secret: 'x' })).toEqual({ name: 'Thrown', message: '{"secret":"[redacted]"}' })
  })
})
