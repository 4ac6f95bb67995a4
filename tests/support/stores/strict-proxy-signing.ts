import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import { headerOf, type MessageHead, withoutHeaders } from './strict-proxy-head.ts'

/** What an AWS Signature Version 4 claims to cover; nothing here verifies it. */
export interface SignatureScope {
  accessKeyId: string
  /** Lower case. */
  signedHeaders: string[]
}

const queryAuthentication =
  /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token)$/i
const payloadHash = 'x-amz-content-sha256'

/**
 * Reads the signature of a request from `Authorization` or from its query.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 *
 * @returns `null` for a request without one: an anonymous one, or a form that carries its own.
 */
export function signatureScope(head: MessageHead): SignatureScope | null {
  const authorization = headerOf(head, 'authorization') ?? ''
  const { query } = requestTarget(head)
  const credential = /Credential=([^,\s]+)/.exec(authorization)?.[1] ?? query['X-Amz-Credential']
  const signed = /SignedHeaders=([^,\s]+)/.exec(authorization)?.[1] ?? query['X-Amz-SignedHeaders']
  if (credential === undefined || signed === undefined) return null
  return { accessKeyId: credential.split('/')[0] ?? '', signedHeaders: signed.split(';') }
}

/** Returns method, path as sent, and decoded query of a request. */
export function requestTarget(head: MessageHead): {
  method: string
  path: string
  query: Record<string, string>
} {
  const [method = '', target = ''] = head.startLine.split(' ')
  const [path = '', search = ''] = target.split(/\?(.*)/s)
  const pairs = search === '' ? [] : search.split('&').map((pair) => pair.split(/=(.*)/s))
  const query = pairs.map(([name = '', value = '']) => [decodeURIComponent(name), decodeURIComponent(value)])
  return { method, path, query: Object.fromEntries(query) }
}

/**
 * Returns the same request without the headers named, signed again with the store's own keys over what the client had
 * signed. Without `x-amz-content-sha256` the body is left unsigned.
 */
export async function resigned(
  head: MessageHead,
  scope: SignatureScope,
  store: StoreConnection,
  dropped: readonly string[],
): Promise<MessageHead> {
  const { method, path, query } = requestTarget(head)
  const kept = withoutHeaders(head, ['authorization', 'x-amz-date', ...dropped])
  const names = Object.entries(query).filter(([name]) => !queryAuthentication.test(name))
  const unsignedBody = headerOf(kept, payloadHash) === undefined
  const headers = unsignedBody ? [...kept.headers, pair(payloadHash, 'UNSIGNED-PAYLOAD')] : kept.headers
  const signed = await signerFor(store).sign(
    {
      method,
      path,
      query: Object.fromEntries(names),
      protocol: 'http:',
      hostname: '127.0.0.1',
      headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    },
    { signableHeaders: new Set([...scope.signedHeaders, payloadHash, 'x-amz-date', 'host']) },
  )
  const search = names.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  const target = search.length === 0 ? path : `${path}?${search.join('&')}`
  const authentication = ['authorization', 'x-amz-date'].map((name) => pair(name, signed.headers[name] ?? ''))
  return { startLine: `${method} ${target} HTTP/1.1`, headers: [...headers, ...authentication] }
}

/** Signs a HEAD of `path`, with which the proxy looks at another object as the store itself would. */
export async function signedHead(store: StoreConnection, path: string): Promise<Record<string, string>> {
  const { protocol, hostname, host } = new URL(store.endpoint)
  const empty = createHash('sha256').digest('hex')
  const request = { method: 'HEAD', path, protocol, hostname, headers: { host, [payloadHash]: empty } }
  return (await signerFor(store).sign(request)).headers
}

function signerFor(store: StoreConnection): SignatureV4 {
  return new SignatureV4({
    service: 's3',
    region: store.region,
    credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey },
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  })
}

function pair(name: string, value: string): [string, string] {
  return [name, value]
}

/** The signer's hash interface. */
class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', keyOf(secret))
  }

  update(chunk: Uint8Array | string): void {
    this.#hash.update(chunk)
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest())
  }

  reset(): void {}
}

function keyOf(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === 'string') return secret
  if (secret instanceof ArrayBuffer) return new Uint8Array(secret)
  return new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
}
