import { describe, expect, it } from 'bun:test'
import { parseRetryAfter } from '../../../../service/wire/retry-after.ts'

describe('Retry-After (RFC 9110 section 10.2.3)', () => {
  const now = Date.parse('2026-11-23T10:00:00Z')

  it('is a number of seconds, or a date that is read as the time until then', () => {
    expect(parseRetryAfter('120', now)).toBe(120)
    expect(parseRetryAfter('Mon, 23 Nov 2026 10:00:30 GMT', now)).toBe(30)
    expect(parseRetryAfter('Mon, 23 Nov 2026 09:00:00 GMT', now)).toBe(0)
  })

  it('is compared with the clock unless another time is given', () => {
    expect(parseRetryAfter(new Date(Date.now() + 3_600_000).toUTCString())).toBeGreaterThan(3000)
  })

  it('is undefined if it is absent or neither of the two', () => {
    expect(parseRetryAfter(null)).toBeUndefined()
    expect(parseRetryAfter(undefined)).toBeUndefined()
    expect(parseRetryAfter('soon', now)).toBeUndefined()
    expect(parseRetryAfter('-5, please', now)).toBeUndefined()
  })
})
