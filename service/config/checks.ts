import { BlockList, isIP } from 'node:net'
import { isLoopback } from '../wire/loopback.ts'

/**
 * Rules of one variable, which the table names. A rule returns the end of a sentence that begins with the variable's name, or
 * `undefined` for a value that is right. It never quotes the value, which may be secret.
 */

/** A bucket and the prefix below which its owner keeps everything. */
export interface Place {
  bucket: string
  /** Ends with a slash. */
  prefix: string
}

/**
 * Returns why `name` cannot be a bucket, by the rules for general purpose buckets
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
 */
export function bucketProblem(name: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
    return 'must be 3–63 of a-z, 0-9, hyphen and dot, with a letter or digit at both ends'
  }
  if (name.includes('..')) return 'must not have two dots in a row'
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return 'must not look like an IP address'
  if (/^(xn--|sthree-|amzn-s3-demo-)/.test(name)) return 'must not begin with xn--, sthree- or amzn-s3-demo-'
  if (/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name)) {
    return 'must not end with -s3alias, --ol-s3, .mrap, --x-s3 or --table-s3'
  }
  return undefined
}

/** Returns the place, or `undefined` unless both its bucket and its prefix are known. */
export function placeOf(bucket: string | undefined, prefix: string | undefined): Place | undefined {
  return bucket !== undefined && prefix !== undefined ? { bucket, prefix } : undefined
}

/** Tells whether a key could belong to both places: same bucket, and one prefix is the other or contains it. */
export function placesOverlap(one: Place, other: Place): boolean {
  return (
    one.bucket === other.bucket &&
    (one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix))
  )
}

/** All addresses of a host name; rejects or is empty where there is none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>

/** Returns why `text` is not scheme, host and port alone; {@link plainHttpProblem} decides about plain http. */
export function endpointProblem(text: string): string | undefined {
  const url = parse(text)
  return typeof url === 'string' ? url : originProblem(text, url)
}

/** Returns why `host` cannot be listened on: neither an IP address nor a host name (RFC 1123 section 2.1). */
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

/** Returns why `text` cannot be an issuer (OpenID Connect Discovery 1.0 section 3: neither query nor fragment). */
export function issuerProblem(text: string): string | undefined {
  return loginUrlProblem(text) ?? (/[?#]/.test(text) ? 'must have neither query nor fragment' : undefined)
}

/** Returns why `text` cannot be a URL that decides about access: https, or http that stays on this machine. */
export function loginUrlProblem(text: string): string | undefined {
  const url = parse(text)
  if (typeof url === 'string') return url
  if (isHttpAwayFromHere(url)) return plainHttpOnLoopback
  return url.hash === '' ? undefined : 'must have no fragment'
}

/** Returns why `text` cannot be a link to a trace, whose id replaces `{traceId}`. */
export function traceUrlProblem(text: string): string | undefined {
  const filled = (digit: string) => text.replaceAll('{traceId}', digit.repeat(32))
  if (filled('0') === text) return 'must hold {traceId}, in the place of the trace id'
  const [one, other] = [parse(filled('0')), parse(filled('1'))]
  if (typeof one === 'string') return one
  // A caller who invents a trace id must not choose where the link leads.
  if (typeof other === 'string' || one.host !== other.host) return 'must not have {traceId} in its host'
  return isHttpAwayFromHere(one) ? plainHttpOnLoopback : undefined
}

/** Returns why `text` cannot be an OTLP endpoint (OTLP exporter, "Endpoint URLs for OTLP/HTTP"); credentials go into headers. */
export function otlpEndpointProblem(text: string): string | undefined {
  const url = parse(text)
  if (typeof url === 'string') return url
  return /[?#]/.test(text) ? 'must have neither query nor fragment' : undefined
}

/**
 * Returns why nothing secret may be sent to `text`: plain http is for this machine and its private network. Unlike
 * {@link plainHttpProblem} it resolves no name: an endpoint that is not up yet must not keep the service from starting.
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
 * Returns why plain http to `text` is not acceptable even with S3_INSECURE: it may only go to this machine, or to a host
 * on a private network whose name is not in public DNS.
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

/** Tells whether a URL is plain http. */
export function isHttp(text: string): boolean {
  return new URL(text).protocol === 'http:'
}

function parse(text: string): URL | string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return 'must be an http or https URL'
  // The text is checked as well: the parser drops an empty user-info, and what is tested must be what is meant.
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
