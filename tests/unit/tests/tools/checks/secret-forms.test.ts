import { describe, expect, it } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { byteWindows } from '../../../../tools/checks/byte-windows.ts'
import { plantedSecrets } from '../../../../tools/checks/planted-secrets.ts'
import { secretForms } from '../../../../tools/checks/secret-forms.ts'
import { secretsIn, secretsInText } from '../../../../tools/checks/secret-search.ts'

const planted = await plantedSecrets()

const formsIn = (text: string) => secretsInText(text).map(({ form }) => form)
const hex = (length: number) => `a1${randomBytes(length).toString('hex')}`.slice(0, length)
const base64 = (text: string) => Buffer.from(text).toString('base64')
const signatureOfV2 = randomBytes(20).toString('base64')

/** Other ways of writing a secret than the planted one. */
const alsoSecret: Record<string, (planted: string) => string[]> = {
  'a private key': (pem) => [pem.replaceAll('PRIVATE', 'RSA PRIVATE')],
  'a symmetric JWK': () => [`{"k":"${hex(43)}","kty":"oct"}`],
  'an AWS access key id': () => [`AKIA${'Q1'.repeat(8)}`],
  'a secret access key': () => [
    `{"SecretAccessKey":"${hex(40)}"}`,
    `aws_secret_access_key = ${hex(40)}`,
    `S3_SECRET_ACCESS_KEY=${hex(40)}`,
  ],
  'a signature in an address or a form': (url) => [
    encodeURIComponent(url),
    encodeURIComponent(encodeURIComponent(url)),
    `{"X-Amz-Signature":"${hex(64)}"}`,
    `name="X-Amz-Signature"\r\n\r\n${hex(64)}\r\n`,
  ],
  'a signature of a request': () => [
    `Authorization: AWS documents:${signatureOfV2}`,
    `?AWSAccessKeyId=a&Signature=${encodeURIComponent(signatureOfV2)}&Expires=1`,
  ],
  'a cursor': () => [JSON.stringify({ nextCursor: `${hex(20)}.${hex(43)}` })],
  'a bearer token': () => [`{"authorization":"Bearer ${hex(43)}"}`],
  'a token of a sign-in': () => [`grant_type=authorization_code&code_verifier=${hex(43)}`],
  // As long as they were once, and as they may get.
  'a token of a code host': () => [`gho_${hex(20)}`, `ghs_${hex(200)}`],
  'a secret in a setting': () => [`secretFile: '${hex(40)}'`],
  'a secret in the environment': () => [`TICKET_SIGNING_KEY=${hex(64)}`, `HCLOUD_TOKEN=${hex(64)}`],
}

/** Texts that look similar and are no secret: public halves, names and places of secrets, examples, redacted ones. */
const harmless = (planted: Record<string, string>): string[] => [
  (planted['a private key'] ?? '').replaceAll('PRIVATE', 'PUBLIC'),
  (planted['a private key'] ?? '').replaceAll('PRIVATE KEY', 'CERTIFICATE'),
  '-----BEGIN PRIVATE KEY-----\n',
  `{"kty":"EC","x":"${hex(43)}","y":"${hex(43)}","d":"short"}`,
  `{"k":"${hex(43)}"}`,
  ['AKIA', 'IOSFODNN7EXAMPLE'].join(''),
  `AKIA${'Q'.repeat(40)}`,
  'S3_SECRET_ACCESS_KEY_FILE=/run/secrets/s3_secret_access_key_1',
  'secretAccessKey: connectionOfTheStoreNumber1.secretAccessKey',
  'const secretAccessKey = randomBytes(20).toString("hex")',
  `secretAccessKey: sha256Of${'x'.repeat(32)}(store)`,
  'GET /a?X-Amz-Expires=60&X-Amz-Signature=[redacted]',
  `X-Amz-SignedHeaders=host&X-Amz-Signature=${'A'.repeat(64)}`,
  `x-amz-content-sha256: ${hex(64)}`,
  '{"expiration":"2026-11-25T15:00:00Z","conditions":[]}',
  'X-Amz-Security-Token: [redacted]',
  'AWS4-HMAC-SHA256 Credential=a/20261125/us-east-1/s3/aws4_request',
  'Signature=[redacted], AWS documents:none',
  `{"nextCursor":null,"digest":"sha256:${hex(64)}"}`,
  'cursor: orders-api.tgz',
  `${(planted['a signed token'] ?? '').split('.')[0]}.…`,
  base64(JSON.stringify({ a: hex(100) })),
  'WWW-Authenticate: Bearer realm="documents1", error="invalid_token"',
  'Bearer [redacted], bearer authentication-and-authorisation',
  `Basic ${base64('user:password')}`,
  'basic authentication, Basic ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  'http://127.0.0.1:9000/documents/versions/1@sha256',
  'https://user:password@store.example, ssh://git@host.example:2222/a1',
  `https://$\{user1}:$\{passwordOfTheUser1}@store.example`,
  'access_token: string, id_token_signed_response_alg: "RS256", ?code=201',
  'SWMTKN-1-<token>, key = AQ, npm_config_user_agent_of_this_process1',
  "secretFile: '/run/secrets/minio_root_password_of_the_store'",
  "{ S3_SECRET_ACCESS_KEY_FILE: '/run/secrets/s3_secret_access_key' }",
  'DOCUMENTS_TOKEN_FILE=token-of-the-tenant-number-1, TOKEN_SECONDS=3600',
  'S3_ACCESS_KEY_ID=documents-service-of-acme-1',
]

describe('the forms of secrets', () => {
  it('each have a canary that is made at run time', () => {
    expect(Object.keys(planted).sort()).toEqual([...new Set(secretForms.map(({ name }) => name))].sort())
  })

  it('match their canaries, in a line of a log and in JSON as loggers print it', () => {
    for (const [form, text] of Object.entries(planted)) {
      expect(formsIn(`2026-11-25T15:00:00Z one\n${text}\n`)).toEqual([form])
      expect(formsIn(JSON.stringify({ level: 'info', message: text }))).toEqual([form])
    }
  })

  it('match every other way of writing such a secret', () => {
    const texts = Object.entries(alsoSecret).flatMap(([form, write]) =>
      write(planted[form] ?? '').map((text) => ({ form, text })),
    )
    expect(texts.filter(({ form, text }) => formsIn(text).join() !== form)).toEqual([])
  })

  it('match nothing that only looks similar', () => {
    expect(harmless(planted).filter((text) => formsIn(text).length > 0)).toEqual([])
  })
})

describe('the search for secrets', () => {
  it('finds each of them wherever a stream is cut, once, and on its line', async () => {
    const text = Buffer.from(`one\ntwo\n${planted['a signed token']}\nfour ${planted['a bearer token']}`)
    const all = await Array.fromAsync(secretsIn(Array.from(text, (byte) => Uint8Array.of(byte))))
    expect(all.map(({ form, lineNumber }) => `${lineNumber}: ${form}`)).toEqual([
      '3: a signed token',
      '4: a bearer token',
    ])
  })

  it('finds them across the pieces in which a large stream is read', async () => {
    const token = planted['a signed token'] ?? ''
    // The first piece ends inside of the token, somewhere.
    const filler = 'x'.repeat(1024 * 1024 - 1 - token.length / 2)
    const parts = [Buffer.from(`${filler}\n${token}\n`), Buffer.from(`${filler}\n${token}\n${filler}`)]
    const all = await Array.fromAsync(secretsIn(parts))
    expect(all.map(({ lineNumber, line }) => [lineNumber, line])).toEqual([
      [2, token],
      [4, token],
    ])
  })
})

describe('byteWindows', () => {
  it('has every byte in one window, with what is around it', async () => {
    const bytes = Buffer.from(randomBytes(3 * 1024 * 1024 + 17))
    const pieces: Buffer[] = []
    for await (const { bytes: window, from, to } of byteWindows(
      [bytes.subarray(0, 5), bytes.subarray(5)],
      100,
    )) {
      const before = pieces.reduce((sum, { length }) => sum + length, 0)
      expect(window.subarray(Math.max(0, from - 100), from)).toEqual(
        bytes.subarray(Math.max(0, before - 100), before),
      )
      pieces.push(Buffer.from(window.subarray(from, to)))
    }
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true)
  })
})
