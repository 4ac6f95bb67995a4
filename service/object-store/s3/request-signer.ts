import { isIP } from 'node:net'
import type { S3Connection } from './connection.ts'

/** A request to the bucket before it is signed. */
export interface UnsignedRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Object, or `null` for the bucket itself. */
  key: string | null
  query?: Readonly<Record<string, string>>
  /** All of them are signed. Names in lower case. */
  headers?: Readonly<Record<string, string>>
  /** SHA-256 of the body, hexadecimal, or `UNSIGNED-PAYLOAD`. */
  payloadSha256: string
  /** Signs the URL instead of the headers; `payloadSha256` is not used then. */
  presign?: PresignOptions | undefined
}

export interface PresignOptions {
  signedAt: Date
  /** 1 second to 7 days. */
  expiresInSeconds: number
}

export interface SignedRequest {
  url: string
  headers: Record<string, string>
}

/**
 * Returns a function that signs requests (S3 API, "Authenticating requests (AWS Signature Version 4)": in the
 * Authorization header, or in query parameters for `presign`). A clock can be given for tests.
 *
 * Decision: not the SDK's signer. It makes the same signatures (`tests/unit/service/object-store/s3/request-signer`), asks
 * for a promise with each of five hashes, and hashes the credentials once more to find the key of the day; the SDK's
 * presigner runs a whole client for each URL. `bun run bench --only sign` has the figures.
 */
export function createRequestSigner(
  connection: S3Connection,
  now: () => Date = () => new Date(),
): (request: UnsignedRequest) => SignedRequest {
  const { region, accessKeyId } = connection
  const address = bucketAddress(connection)
  const keyOf = signingKeys(connection)
  const [encodedId, encodedRegion] = [encodeComponent(accessKeyId), encodeComponent(region)]

  return ({ method, key, query = {}, headers: given = {}, payloadSha256, presign }) => {
    const path = key === null ? address.path || '/' : `${address.path}/${encodeKey(key)}`
    const time = basicTime(presign?.signedAt ?? now())
    const day = time.slice(0, 8)
    const scope = `${day}/${region}/s3/aws4_request`
    const headers: Record<string, string> = { ...given, host: address.host }
    const signature = (query: string, signedHeaders: readonly string[], payload: string) => {
      const canonicalHeaders = signedHeaders
        .map((name) => `${name}:${canonicalValue(headers[name] ?? '')}\n`)
        .join('')
      const canonical = `${method}\n${path}\n${query}\n${canonicalHeaders}\n${signedHeaders.join(';')}\n${payload}`
      return hmac(
        keyOf(day),
        `${algorithm}\n${time}\n${scope}\n${Bun.SHA256.hash(canonical, 'hex')}`,
      ).toString('hex')
    }
    const url = `${address.origin}${path}`
    if (!presign) {
      headers['x-amz-content-sha256'] = payloadSha256
      headers['x-amz-date'] = time
      const names = Object.keys(headers).sort()
      const encoded = encodeQuery(query)
      const signed = signature(encoded, names, payloadSha256)
      headers.authorization = `${algorithm} Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signed}`
      return { url: encoded === '' ? url : `${url}?${encoded}`, headers }
    }
    const names = Object.keys(headers).sort()
    const credential = `X-Amz-Credential=${encodedId}%2F${day}%2F${encodedRegion}%2Fs3%2Faws4_request`
    const times = `X-Amz-Date=${time}&X-Amz-Expires=${presign.expiresInSeconds}`
    const before = encodeQuery(query, (name) => name < ours)
    const after = encodeQuery(query, (name) => name > ours)
    const first = joined(before, `${constantQuery}&${credential}&${times}`)
    const last = joined(`X-Amz-SignedHeaders=${encodeComponent(names.join(';'))}`, after)
    const signed = signature(`${first}&${last}`, names, unsignedPayload)
    return { url: `${url}?${first}&X-Amz-Signature=${signed}&${last}`, headers }
  }
}

const algorithm = 'AWS4-HMAC-SHA256'
/** The hash of a body that is not part of the signature. */
export const unsignedPayload = 'UNSIGNED-PAYLOAD'

/** Begins the names of all parameters of a signature: those of a request come before or after them. */
const ours = 'X-Amz-'
/** The first of them, which are the same for all requests. */
const constantQuery = `X-Amz-Algorithm=${algorithm}&X-Amz-Content-Sha256=${unsignedPayload}`

/** SHA-256 of no bytes, hexadecimal: the payload of a GET. */
export const emptySha256 = new Bun.CryptoHasher('sha256').digest('hex')

/** An address has no names below it, and certificates of stores are for one name below theirs, as the SDK has it. */
function bucketAddress({ endpoint, forcePathStyle, bucket }: S3Connection) {
  const { protocol, host, hostname } = new URL(endpoint)
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
  if (forcePathStyle || isAddress || bucket.includes('.'))
    return { origin: `${protocol}//${host}`, host, path: `/${bucket}` }
  return { origin: `${protocol}//${bucket}.${host}`, host: `${bucket}.${host}`, path: '' }
}

/** Returns the keys of days, such as `20261130`; the last one is kept. */
function signingKeys({ secretAccessKey, region }: S3Connection): (day: string) => Buffer {
  let kept: { day: string; key: Buffer } | null = null
  return (day) => {
    if (kept?.day === day) return kept.key
    const ofDay = hmac(`AWS4${secretAccessKey}`, day)
    kept = { day, key: hmac(hmac(hmac(ofDay, region), 's3'), 'aws4_request') }
    return kept.key
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return new Bun.CryptoHasher('sha256', key).update(text).digest()
}

/** ISO 8601 in the basic form: `20261130T091500Z`. */
function basicTime(date: Date): string {
  const iso = date.toISOString()
  const day = iso.slice(0, 4) + iso.slice(5, 7) + iso.slice(8, 10)
  return `${day}T${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`
}

function canonicalValue(value: string): string {
  return value.trim().replace(/\s+/g, ' ')
}

/** Percent-encodes a key, except unreserved characters (RFC 3986 section 2.3) and the slashes between segments. */
export function encodeKey(key: string): string {
  return isUnreserved.test(key) ? key : encodeSegments(key)
}

/** As nearly all keys of the service are. */
const isUnreserved = /^[A-Za-z0-9._~/-]*$/

const isUnreservedWord = /^[A-Za-z0-9._~-]*$/

function encodeSegments(key: string): string {
  return key.split('/').map(encodeComponent).join('/')
}

/** Sorted by name, as they are signed; only those that are wanted. */
function encodeQuery(query: Readonly<Record<string, string>>, isWanted = (_name: string) => true): string {
  return Object.keys(query)
    .filter(isWanted)
    .sort()
    .map((name) => `${encodeComponent(name)}=${encodeComponent(query[name] ?? '')}`)
    .join('&')
}

function joined(one: string, other: string): string {
  if (one === '' || other === '') return one + other
  return `${one}&${other}`
}

function encodeComponent(text: string): string {
  if (isUnreservedWord.test(text)) return text
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
