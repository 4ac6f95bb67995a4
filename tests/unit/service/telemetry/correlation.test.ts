import { describe, expect, it } from 'bun:test'
import { correlationIdFrom } from '../../../../service/telemetry/correlation.ts'

describe('correlationIdFrom', () => {
  it('keeps an id of 1 to 128 letters, digits, dots, underscores, colons and hyphens', () => {
    expect(correlationIdFrom('order:42_retry.1-B')).toBe('order:42_retry.1-B')
    expect(correlationIdFrom('a')).toBe('a')
    expect(correlationIdFrom('a'.repeat(128))).toBe('a'.repeat(128))
  })

  it('generates an id if there is none, a different one each time', () => {
    expect(correlationIdFrom(null)).toMatch(/^[0-9a-f-]{36}$/)
    expect(correlationIdFrom(null)).not.toBe(correlationIdFrom(null))
  })

  it('replaces an id that is outside the form and repeats no part of it', () => {
    const made = /^[0-9a-f-]{36}$/
    expect(correlationIdFrom('')).toMatch(made)
    expect(correlationIdFrom('a'.repeat(129))).toMatch(made)
    expect(correlationIdFrom('two words')).toMatch(made)
    expect(correlationIdFrom('x\r\nSet-Cookie: a=b')).toMatch(made)
    expect(correlationIdFrom('x\n')).toMatch(made)
    expect(correlationIdFrom('{"kind":"audit"}')).toMatch(made)
    expect(correlationIdFrom('zoë')).toMatch(made)
  })
})
