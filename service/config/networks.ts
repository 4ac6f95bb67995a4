import { isIP } from 'node:net'

/** Addresses that share their first bits (RFC 4632 section 3.1, RFC 4291 section 2.3). */
export interface Network {
  address: string
  /** How many bits they share. */
  bits: number
  family: 'ipv4' | 'ipv6'
}

/** Returns why `text` is not a list of networks; single addresses are networks of one. */
export function networksProblem(text: string): string | undefined {
  if (text === 'none') return undefined
  const networks = text.split(',').map(networkOf)
  if (networks.some((network) => network === undefined)) {
    return 'must be none, or addresses and CIDR blocks with commas between them, such as 10.0.1.0/24'
  }
  return networks.some((network) => network?.bits === 0)
    ? 'must not hold every address: any client could then choose the address that is recorded for it'
    : undefined
}

/** Returns the networks in a text that is right; `none` holds none. */
export function networksIn(text: string): Network[] {
  return text.split(',').flatMap((part) => networkOf(part) ?? [])
}

function networkOf(part: string): Network | undefined {
  const [, address = '', bits] = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(part.trim()) ?? []
  const version = isIP(address)
  if (version === 0) return undefined
  const bitsMax = version === 4 ? 32 : 128
  const shared = bits === undefined ? bitsMax : Number(bits)
  return shared > bitsMax ? undefined : { address, bits: shared, family: version === 4 ? 'ipv4' : 'ipv6' }
}
