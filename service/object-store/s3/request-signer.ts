import { SignatureV4 } from '@smithy/signature-v4'
import type { S3Connection } from './connection.ts'

/** A request to the bucket before it is signed. */
export interface UnsignedRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Object, or `null` for the bucket itself. */
  key: string | null
  query?: Record<string, string>
  headers?: Record<string, string>
  /** SHA-256 of the body, hexadecimal. */
  payloadSha256: string
}

export interface SignedRequest {
  url: string
  headers: Record<string, string>
}

/**
 * Signs requests in their headers (AWS Signature Version 4, "Authenticating requests: using the Authorization
 * header") with the SDK's own signer, without the SDK's client around it.
 */
export function createRequestSigner(
  connection: S3Connection,
): (request: UnsignedRequest) => Promise<SignedRequest> {
  const address = bucketAddress(connection)
  const signer = new SignatureV4({
    service: 's3',
    region: connection.region,
    credentials: { accessKeyId: connection.accessKeyId, secretAccessKey: connection.secretAccessKey },
    sha256: Sha256,
    // S3 signs the path as it is sent; the other services encode it twice.
    uriEscapePath: false,
    // The payload hash is given.
    applyChecksum: false,
  })
  return async ({ method, key, query = {}, headers: unsigned, payloadSha256 }) => {
    const path = key === null ? address.path || '/' : `${address.path}/${encodeKey(key)}`
    const { headers } = await signer.sign({
      method,
      protocol: address.protocol,
      hostname: address.hostname,
      path,
      query,
      headers: { ...unsigned, host: address.host, 'x-amz-content-sha256': payloadSha256 },
    })
    return { url: `${address.protocol}//${address.host}${path}${encodeQuery(query)}`, headers }
  }
}

function bucketAddress(connection: S3Connection) {
  const { protocol, host, hostname } = new URL(connection.endpoint)
  return connection.forcePathStyle
    ? { protocol, host, hostname, path: `/${connection.bucket}` }
    : {
        protocol,
        host: `${connection.bucket}.${host}`,
        hostname: `${connection.bucket}.${hostname}`,
        path: '',
      }
}

/** RFC 3986 section 2.3: everything but the unreserved characters, and the slashes between segments. */
export function encodeKey(key: string): string {
  return key.split('/').map(encodeComponent).join('/')
}

function encodeQuery(query: Record<string, string>): string {
  const pairs = Object.entries(query).map(
    ([name, value]) => `${encodeComponent(name)}=${encodeComponent(value)}`,
  )
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function encodeComponent(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** Of no bytes: the payload of a GET. */
export const emptySha256 = new Bun.CryptoHasher('sha256').digest('hex')

/** The signer's hash interface on Bun's native one; its own default is a JavaScript SHA-256. */
class Sha256 {
  readonly #hasher: Bun.CryptoHasher

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hasher =
      secret === undefined ? new Bun.CryptoHasher('sha256') : new Bun.CryptoHasher('sha256', keyOf(secret))
  }

  update(chunk: Uint8Array | string): void {
    this.#hasher.update(chunk)
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hasher.digest())
  }

  reset(): void {}
}

function keyOf(secret: string | ArrayBuffer | ArrayBufferView): string | NodeJS.TypedArray {
  if (typeof secret === 'string') return secret
  return secret instanceof ArrayBuffer
    ? new Uint8Array(secret)
    : new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
}
