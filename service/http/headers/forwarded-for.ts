import { BlockList, isIP } from 'node:net'

/** Addresses that share their first `bits`. */
export interface Network {
  address: string
  bits: number
  family: 'ipv4' | 'ipv6'
}

/**
 * Returns a function that tells the address of the client which sent a request, as far as it can be relied on: that of
 * the peer, or behind a trusted proxy the one that this proxy has added to `X-Forwarded-For`, and so on for a chain of
 * trusted proxies. What stands further left in the header is the client's own word.
 *
 * @param proxies whose header is believed. Of any other peer it is ignored.
 */
export function clientAddresses(
  proxies: readonly Network[],
): (peer: string | undefined, forwardedFor: string | null) => string | undefined {
  const trusted = new BlockList()
  for (const { address, bits, family } of proxies) trusted.addSubnet(address, bits, family)

  function isTrusted(address: string): boolean {
    return trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }

  return (peer, forwardedFor) => {
    if (peer === undefined) return undefined
    let client = plain(peer)
    for (const hop of (forwardedFor ?? '').split(',').toReversed()) {
      const address = plain(hop.trim())
      // A proxy that writes something else tells nothing: the nearest address that is known counts.
      if (!isTrusted(client) || isIP(address) === 0) break
      client = address
    }
    return client
  }
}

/** A listener for both families sees clients of IPv4 as `::ffff:192.0.2.1` (RFC 4291 section 2.5.5.2). */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
