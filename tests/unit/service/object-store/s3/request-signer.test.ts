import { expect, it, setDefaultTimeout } from 'bun:test'
import { createHash, createHmac } from 'node:crypto'
import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import {
  createRequestSigner,
  encodeKey,
  type UnsignedRequest,
  unsignedPayload,
} from '../../../../../service/object-store/s3/request-signer.ts'
import { seedOf } from '../../../../support/seed.ts'
import { sizeOf } from '../../../../support/sizes.ts'

setDefaultTimeout(600_000)

const requests = sizeOf({ test: 1_000, long: 10_000, of: 'requests that are signed twice' })
const seed = seedOf(import.meta)

type Bytes = string | ArrayBuffer | ArrayBufferView

/** The SDK's hash, on the engine's own. */
class Sha256 {
  readonly #hash: { update(text: Uint8Array): unknown; digest(): Uint8Array }

  constructor(secret?: Bytes) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(text: Bytes): void {
    this.#hash.update(bytesOf(text))
  }

  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest())
  }

  reset(): void {}
}

function bytesOf(bytes: Bytes): Uint8Array {
  if (typeof bytes === 'string') return new TextEncoder().encode(bytes)
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
}

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/)
const value = fc.stringMatching(/^[ -~]{0,40}$/)
const connection = fc.record({
  endpoint: fc.constantFrom(
    'http://127.0.0.1:9000',
    'https://fsn1.your-objectstorage.com',
    'https://s3.example:8443',
  ),
  region: fc.constantFrom('us-east-1', 'fsn1', 'hel1'),
  accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/),
  secretAccessKey: fc.stringMatching(/^[A-Za-z0-9+/]{32,40}$/),
  forcePathStyle: fc.boolean(),
  bucket: fc.stringMatching(/^[a-z][a-z0-9-]{2,20}$/),
  connectionsMax: fc.constant(1),
})
const request = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE'),
  key: fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })),
  query: fc.dictionary(name, fc.string({ unit: 'grapheme', maxLength: 30 }), { maxKeys: 4 }),
  headers: fc.dictionary(
    name.map((text) => `x-amz-meta-${text}`),
    value,
    { maxKeys: 4 },
  ),
  payloadSha256: fc.oneof(fc.constant(unsignedPayload), fc.stringMatching(/^[0-9a-f]{64}$/)),
})
const time = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })

type Connection = Parameters<typeof createRequestSigner>[0]

/** The same request for the SDK. */
function forSdk(
  { endpoint, forcePathStyle, bucket }: Connection,
  { method, key, query, headers }: UnsignedRequest,
) {
  const { protocol, host } = new URL(endpoint)
  // The SDK's client decides that an address has no bucket in its host; here the decision is the test's.
  const isInPath = forcePathStyle || host.startsWith('127.')
  const full = isInPath ? host : `${bucket}.${host}`
  const [hostname = '', port] = full.split(':')
  const path = `${isInPath ? `/${bucket}` : ''}${key === null ? '' : `/${encodeKey(key)}`}` || '/'
  const address = { protocol, hostname, ...(port === undefined ? {} : { port: Number(port) }), path }
  return { method, ...address, query: { ...query }, headers: { ...headers, host: full } }
}

function sdkOptions({ region, accessKeyId, secretAccessKey }: Connection) {
  const credentials = { accessKeyId, secretAccessKey }
  return { service: 's3', region, credentials, sha256: Sha256, uriEscapePath: false, applyChecksum: false }
}

it('signs headers as the SDK does', async () => {
  await fc.assert(
    fc.asyncProperty(connection, request, time, async (connection, request, at) => {
      const sdk = new SignatureV4(sdkOptions(connection))
      const unsigned = forSdk(connection, request)
      const hashed = {
        ...unsigned,
        headers: { ...unsigned.headers, 'x-amz-content-sha256': request.payloadSha256 },
      }
      const expected = await sdk.sign(hashed, { signingDate: at })
      const { headers } = createRequestSigner(connection, () => at)(request)
      expect(headers).toEqual(expected.headers)
    }),
    { numRuns: requests, seed },
  )
})

it('signs addresses as the SDK does', async () => {
  const lifetime = fc.integer({ min: 1, max: 604_800 })
  await fc.assert(
    fc.asyncProperty(
      connection,
      request,
      time,
      lifetime,
      async (connection, request, signedAt, expiresInSeconds) => {
        const sdk = new S3RequestPresigner(sdkOptions(connection))
        const unsigned = forSdk(connection, request)
        const named = new Set(Object.keys(unsigned.headers))
        const expected = await sdk.presign(unsigned as Parameters<typeof sdk.presign>[0], {
          signingDate: signedAt,
          expiresIn: expiresInSeconds,
          unhoistableHeaders: named,
          signableHeaders: named,
        })
        const presign = { signedAt, expiresInSeconds }
        const { url } = createRequestSigner(connection)({ ...request, presign })
        const sorted = Object.entries(expected.query as Record<string, string>).sort(([a], [b]) =>
          a < b ? -1 : 1,
        )
        const [address = '', search] = url.split('?')
        expect([...new URLSearchParams(search)]).toEqual(sorted)
        expect(address).toBe(`${unsigned.protocol}//${unsigned.headers.host}${expected.path}`)
      },
    ),
    { numRuns: requests, seed },
  )
})
