import { describe, expect, it } from 'bun:test'
import { chooseCoding } from '../../../../service/http/headers/accept-encoding.ts'
import { isPolicyOrigin, uiContentPolicy } from '../../../../service/http/pages/ui-headers.ts'

describe('Accept-Encoding (RFC 9110, section 12.5.3)', () => {
  const choose = (header: string | null) => chooseCoding(header, ['br', 'gzip'] as const)

  it('chooses what the client prefers, and among equals what we prefer', () => {
    expect(choose('gzip, deflate, br, zstd')).toBe('br')
    expect(choose('gzip')).toBe('gzip')
    expect(choose('br;q=0.5, gzip;q=0.8')).toBe('gzip')
    expect(choose('gzip;q=1.0, br;q=1')).toBe('br')
    expect(choose('GZIP')).toBe('gzip')
    expect(choose(' gzip ;\tq=0.001 ')).toBe('gzip')
  })

  it('takes a star for all that is not named', () => {
    expect(choose('*')).toBe('br')
    expect(choose('br;q=0, *;q=0.5')).toBe('gzip')
    expect(choose('gzip, *;q=0')).toBe('gzip')
  })

  it('sends bytes as they are where the client says nothing, prefers that, or knows none of ours', () => {
    expect(choose(null)).toBe('identity')
    expect(choose('')).toBe('identity')
    expect(choose('identity')).toBe('identity')
    expect(choose('identity, gzip;q=0.5')).toBe('identity')
    expect(choose('zstd, deflate')).toBe('identity')
    expect(choose('br;q=0, gzip;q=0')).toBe('identity')
  })

  it('answers all the same where the client wants nothing at all', () => {
    expect(choose('*;q=0')).toBe('identity')
    expect(choose('identity;q=0')).toBe('identity')
  })

  it('does not guess at what is malformed', () => {
    expect(choose('br;q=2, gzip;q=0.1')).toBe('gzip')
    expect(choose('br;level=11')).toBe('identity')
    expect(choose('br gzip')).toBe('identity')
    expect(choose(`${'x'.repeat(100_000)},gzip`)).toBe('gzip')
  })

  it('names no coding that there is not', () => {
    expect(chooseCoding('br, gzip', ['gzip'])).toBe('gzip')
    expect(chooseCoding('br, gzip', [])).toBe('identity')
  })
})

describe('the policy of the Control UI', () => {
  const connectOf = (...origins: string[]) =>
    uiContentPolicy(origins)
      .split('; ')
      .find((directive) => directive.startsWith('connect-src '))

  it('names each origin once', () => {
    const [store, issuer] = ['https://docs.fsn1.your-objectstorage.com', 'https://login.example.com']
    expect(connectOf(store, issuer, store)).toBe(`connect-src 'self' ${store} ${issuer}`)
    expect(connectOf('http://127.0.0.1:9000')).toBe("connect-src 'self' http://127.0.0.1:9000")
    expect(connectOf()).toBe("connect-src 'self'")
  })

  it('cannot be widened by what stands in an origin', () => {
    const wide = [
      '*',
      'https:',
      'https://*',
      'https://*.example.com',
      'https://a.example; script-src *',
      "https://a.example 'unsafe-inline'",
      'https://a;b',
      'https://a,b',
      'https://a.example/path',
      'data:',
      'null',
      '',
    ]
    expect(wide.filter(isPolicyOrigin)).toEqual([])
    expect(uiContentPolicy(wide)).toBe(uiContentPolicy([]))
  })

  it('leaves out an address that no policy can name, which the browser then goes past', () => {
    expect(isPolicyOrigin('http://[::1]:9000')).toBeFalse()
    expect(isPolicyOrigin('http://localhost:9000')).toBeTrue()
    expect(isPolicyOrigin('https://xn--mnchen-3ya.example')).toBeTrue()
  })

  it('allows nothing in line, nothing evaluated and nothing framed', () => {
    const policy = uiContentPolicy(['https://a.example'])
    expect(policy).not.toMatch(/unsafe|data:|blob:|\*/)
    expect(policy.split('; ')).toContain("default-src 'none'")
    expect(policy.split('; ')).toContain("frame-ancestors 'none'")
  })
})
