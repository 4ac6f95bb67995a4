import { describe, expect, it } from 'bun:test'
import { clientAddresses } from '../../../../../service/http/headers/forwarded-for.ts'

const clientOf = clientAddresses([
  { address: '10.0.1.0', bits: 24, family: 'ipv4' },
  { address: '2001:db8::', bits: 32, family: 'ipv6' },
])

describe('the address of a client', () => {
  it('is that of the peer, which no header changes unless it is a trusted proxy', () => {
    expect(clientOf('192.0.2.7', null)).toBe('192.0.2.7')
    expect(clientOf('192.0.2.7', '203.0.113.9')).toBe('192.0.2.7')
    expect(clientOf(undefined, '203.0.113.9')).toBeUndefined()
  })

  it('is the right-most one that is no trusted proxy: what stands left of it is the client’s own word', () => {
    expect(clientOf('10.0.1.2', '192.0.2.7')).toBe('192.0.2.7')
    expect(clientOf('10.0.1.2', '203.0.113.9, 192.0.2.7')).toBe('192.0.2.7')
    expect(clientOf('10.0.1.2', '10.0.1.9,192.0.2.7 ,10.0.1.3,2001:db8::1')).toBe('192.0.2.7')
  })

  it('is the nearest one that is known if a proxy adds none, or no address', () => {
    expect(clientOf('10.0.1.2', null)).toBe('10.0.1.2')
    expect(clientOf('10.0.1.2', '')).toBe('10.0.1.2')
    expect(clientOf('10.0.1.2', '192.0.2.7, unknown')).toBe('10.0.1.2')
    expect(clientOf('10.0.1.2', '192.0.2.7:8080, 10.0.1.3')).toBe('10.0.1.3')
    expect(clientOf('10.0.1.2', '10.0.1.4, 10.0.1.3')).toBe('10.0.1.4')
  })

  it('is one of IPv4 although the listener sees it by IPv6', () => {
    expect(clientOf('::ffff:10.0.1.2', '::ffff:192.0.2.7')).toBe('192.0.2.7')
    expect(clientOf('2001:db8::1', '2001:0db9::7')).toBe('2001:0db9::7')
  })
})
