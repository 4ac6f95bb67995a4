import { describe, expect, it } from 'bun:test'
import { ProblemError } from '../../../../service/http/problem.ts'
import { requestUrl } from '../../../../service/http/request-url.ts'

describe('the address of a request', () => {
  const outcome = (url: string, host: string | null) => {
    // Bun's server makes such requests; the constructor of Request resolves what it is given.
    const request = { url, headers: new Headers(host === null ? {} : { host }) } as Request
    try {
      return requestUrl(request).pathname
    } catch (error) {
      return error instanceof ProblemError ? error.code : error
    }
  }

  it('is that of its target below any host', () => {
    expect(outcome('http://a/v1/x', 'a')).toBe('/v1/x')
    expect(outcome('http://[::1]:8080/v1/x?y', '[::1]:8080')).toBe('/v1/x')
  })

  it('is refused where the host is none', () => {
    expect(outcome('/v1/x', '')).toBe('host_invalid')
    expect(outcome('/v1/x', 'a/b')).toBe('host_invalid')
    expect(outcome('http://a:99999/v1/x', 'a:99999')).toBe('host_invalid')
    expect(outcome('http://a/v1/x', 'a, b')).toBe('host_invalid')
  })

  it('needs no host outside of the API', () => {
    expect(outcome('/livez', null)).toBe('/livez')
    expect(outcome('/v1/x', null)).toBe('host_invalid')
    expect(outcome('/a/../v1/x', null)).toBe('host_invalid')
  })

  it('has no fragment', () => {
    expect(outcome('http://a/v1/x#/y', 'a')).toBe('route_not_found')
    expect(outcome('http://a/v1/x#', 'a')).toBe('route_not_found')
  })
})
