import { BlockList, isIP } from 'node:net'

/** All addresses of a host name; rejects or is empty where there is none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>

/** Why `text` cannot be the endpoint of an object store, apart from what {@link plainHttpProblem} asks. */
export function endpointProblem(text: string): string | undefined {
  const url = parse(text)
  return typeof url === 'string' ? url : originProblem(text, url)
}

/** Why `host` cannot be listened on: neither an IP address nor a host name (RFC 1123 section 2.1). */
export function hostProblem(host: string): string | undefined {
  const labels = host.split('.')
  const isName =
    host.length <= 253 &&
    labels.every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  return isName || isIP(host) !== 0
    ? undefined
    : 'must be an IP address or a host name, without brackets or port'
}

/** The same form as an endpoint: routes of the service begin at the root. */
export const publicUrlProblem = endpointProblem

/** OpenID Connect Discovery 1.0 section 3: an issuer has neither query nor fragment. */
export function issuerProblem(text: string): string | undefined {
  return loginUrlProblem(text) ?? (/[?#]/.test(text) ? 'must have neither query nor fragment' : undefined)
}

/** Anything that decides who may come in: https, or http that does not leave this machine. */
export function loginUrlProblem(text: string): string | undefined {
  const url = parse(text)
  if (typeof url === 'string') return url
  if (isHttpAwayFromHere(url)) return plainHttpOnLoopback
  return url.hash === '' ? undefined : 'must have no fragment'
}

/** A link that is shown to people, with the trace id put where `{traceId}` stands. */
export function traceUrlProblem(text: string): string | undefined {
  const filled = (digit: string) => text.replaceAll('{traceId}', digit.repeat(32))
  if (filled('0') === text) return 'must hold {traceId}, in the place of the trace id'
  const [one, other] = [parse(filled('0')), parse(filled('1'))]
  if (typeof one === 'string') return one
  // Whoever makes a trace id up must not choose where the link leads.
  if (typeof other === 'string' || one.host !== other.host) return 'must not have {traceId} in its host'
  return isHttpAwayFromHere(one) ? plainHttpOnLoopback : undefined
}

/** OTLP exporter, "Endpoint URLs for OTLP/HTTP": a URL with a path, if any; credentials go into headers. */
export function otlpEndpointProblem(text: string): string | undefined {
  const url = parse(text)
  if (typeof url === 'string') return url
  return /[?#]/.test(text) ? 'must have neither query nor fragment' : undefined
}

/**
 * Why nothing secret may be sent to `text`: plain http is for this machine and its neighbours. Unlike
 * {@link plainHttpProblem} it resolves no name: an endpoint that is not up yet must not keep us from starting.
 */
export function plainSecretProblem(text: string): string | undefined {
  const { protocol, hostname } = new URL(text)
  const address = hostname.replace(/^\[|\]$/g, '')
  const near = isIP(address) === 0 ? !hostname.includes('.') : isNear(address)
  return protocol === 'https:' || near
    ? undefined
    : 'must be https where headers are sent to it: plain http is for loopback, private addresses and single-label names'
}

/**
 * Why plain http to `text` is not acceptable even with S3_INSECURE: it may only go to this machine, or to a
 * neighbour on a private network whose name cannot be looked up in public DNS.
 */
export async function plainHttpProblem(text: string, resolveHost: ResolveHost): Promise<string | undefined> {
  const url = new URL(text)
  if (isLoopback(url)) return undefined
  const host = url.hostname
  if (host.includes('.') || host.startsWith('[')) {
    return 'must be https: plain http is only for loopback and for single-label host names'
  }
  const addresses = await resolveHost(host).catch(() => [])
  if (addresses.length === 0) return 'names a host that cannot be resolved, so plain http to it is refused'
  return addresses.every(isNear)
    ? undefined
    : 'must be https: its host name resolves to an address that is neither loopback nor private'
}

export function isHttp(text: string): boolean {
  return new URL(text).protocol === 'http:'
}

function parse(text: string): URL | string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return 'must be an http or https URL'
  // The text is asked too: the parser drops an empty user-info, and what is tested must be what is meant.
  if (url.username !== '' || url.password !== '' || text.includes('@')) {
    return 'must not carry a user or password'
  }
  return /\s|\\/.test(text) ? 'must have neither spaces nor backslashes' : url
}

function originProblem(text: string, url: URL): string | undefined {
  if (/[?#]/.test(text)) return 'must have neither query nor fragment'
  if (!/^https?:\/\/[^/]+$/i.test(text) || url.pathname !== '/')
    return 'must end after the host and port, without a path or slash'
  return undefined
}

const plainHttpOnLoopback = 'must be https: plain http is for loopback only'

function isHttpAwayFromHere(url: URL): boolean {
  return url.protocol === 'http:' && !isLoopback(url)
}

function isLoopback({ hostname }: URL): boolean {
  const address = hostname.replace(/^\[|\]$/g, '')
  return hostname === 'localhost' || (isIP(address) !== 0 && contains(loopback, address))
}

function isNear(address: string): boolean {
  return contains(loopback, address) || contains(privateNetworks, address)
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** RFC 1918 and RFC 4193. Link-local is left out: cloud metadata services answer there. */
const privateNetworks = new BlockList()
privateNetworks.addSubnet('10.0.0.0', 8, 'ipv4')
privateNetworks.addSubnet('172.16.0.0', 12, 'ipv4')
privateNetworks.addSubnet('192.168.0.0', 16, 'ipv4')
privateNetworks.addSubnet('fc00::', 7, 'ipv6')
