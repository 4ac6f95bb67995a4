import { beforeAll, describe, expect, it } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { byteWindows } from '../../../../tools/checks/byte-windows.ts'
import { plantedSecrets } from '../../../../tools/checks/planted-secrets.ts'
import { secretForms } from '../../../../tools/checks/secret-forms.ts'
import { secretsIn, secretsInText } from '../../../../tools/checks/secret-search.ts'

let planted: Record<string, string>
beforeAll(async () => {
  planted = await plantedSecrets()
})

const formsIn = (text: string) => secretsInText(text).map(({ form }) => form)
/** The planted one of this form, in a line of a log. */
const formsOf = (name: string) => formsIn(`2026-11-25T15:00:00Z one\n${planted[name]}\n`)
/** The same as a text in JSON, as loggers print what they were given. */
const formsInJson = (name: string) => formsIn(JSON.stringify({ level: 'info', message: planted[name] }))
const hex = (length: number) => `a1${randomBytes(length).toString('hex')}`.slice(0, length)

describe('what secrets look like', () => {
  it('is planted for every form, at run time', () => {
    expect(Object.keys(planted).sort()).toEqual([...new Set(secretForms.map(({ name }) => name))].sort())
  })

  it('knows a private key, and no public one, no certificate and no mere headline', () => {
    expect(formsOf('a private key')).toEqual(['a private key'])
    expect(formsInJson('a private key')).toEqual(['a private key'])
    const pem = planted['a private key'] ?? ''
    expect(formsIn(pem.replaceAll('PRIVATE', 'RSA PRIVATE'))).toEqual(['a private key'])
    expect(formsIn(pem.replaceAll('PRIVATE', 'PUBLIC'))).toEqual([])
    expect(formsIn(pem.replaceAll('PRIVATE KEY', 'CERTIFICATE'))).toEqual([])
    expect(formsIn('-----BEGIN PRIVATE KEY-----\n')).toEqual([])
  })

  it('knows private and symmetric keys as JWK, and no public one', () => {
    expect(formsOf('a private JWK')).toEqual(['a private JWK'])
    expect(formsInJson('a private JWK')).toEqual(['a private JWK'])
    expect(formsOf('a symmetric JWK')).toEqual(['a symmetric JWK'])
    expect(formsInJson('a symmetric JWK')).toEqual(['a symmetric JWK'])
    expect(formsIn(`{"k":"${hex(43)}","kty":"oct"}`)).toEqual(['a symmetric JWK'])
    expect(formsIn(`{"kty":"EC","x":"${hex(43)}","y":"${hex(43)}","d":"short"}`)).toEqual([])
    expect(formsIn(`{"k":"${hex(43)}"}`)).toEqual([])
  })

  it('knows an access key id of AWS, and not the one of its documentation', () => {
    expect(formsOf('an AWS access key id')).toEqual(['an AWS access key id'])
    expect(formsIn(['AKIA', 'IOSFODNN7EXAMPLE'].join(''))).toEqual([])
    expect(formsIn(`AKIA${'Q'.repeat(40)}`)).toEqual([])
    expect(formsIn(`AKIA${'Q1'.repeat(8)}`)).toEqual(['an AWS access key id'])
  })

  it('knows a secret access key by its name, and neither a file of one nor a variable', () => {
    expect(formsOf('a secret access key')).toEqual(['a secret access key'])
    expect(formsIn(`{"SecretAccessKey":"${hex(40)}"}`)).toEqual(['a secret access key'])
    expect(formsIn(`aws_secret_access_key = ${hex(40)}`)).toEqual(['a secret access key'])
    expect(formsIn(`S3_SECRET_ACCESS_KEY=${hex(40)}`)).toEqual(['a secret access key'])
    expect(formsIn('S3_SECRET_ACCESS_KEY_FILE=/run/secrets/s3_secret_access_key_1')).toEqual([])
    expect(formsIn('secretAccessKey: connectionOfTheStoreNumber1.secretAccessKey')).toEqual([])
    expect(formsIn(`secretAccessKey: sha256Of${'x'.repeat(32)}(store)`)).toEqual([])
  })

  it('knows a signed address, encoded or not, and not one that was redacted', () => {
    const name = 'a signature in an address or a form'
    expect(formsOf(name)).toEqual([name])
    expect(formsIn(encodeURIComponent(planted[name] ?? ''))).toEqual([name])
    expect(formsIn(encodeURIComponent(encodeURIComponent(planted[name] ?? '')))).toEqual([name])
    expect(formsIn('GET /a?X-Amz-Expires=60&X-Amz-Signature=[redacted]')).toEqual([])
    expect(formsIn(`X-Amz-SignedHeaders=host&X-Amz-Signature=${'A'.repeat(64)}`)).toEqual([])
    expect(formsIn(`x-amz-content-sha256: ${hex(64)}`)).toEqual([])
  })

  it('knows the fields of a signed form: in JSON, and as they are sent', () => {
    const signature = 'a signature in an address or a form'
    expect(formsIn(`{"X-Amz-Signature":"${hex(64)}"}`)).toEqual([signature])
    expect(formsIn(`name="X-Amz-Signature"\r\n\r\n${hex(64)}\r\n`)).toEqual([signature])
    expect(formsOf('the policy of a signed form')).toEqual(['the policy of a signed form'])
    expect(formsInJson('the policy of a signed form')).toEqual(['the policy of a signed form'])
    expect(formsIn('{"expiration":"2026-11-25T15:00:00Z","conditions":[]}')).toEqual([])
  })

  it('knows a session token, and not its name alone', () => {
    expect(formsOf('a session token of AWS')).toEqual(['a session token of AWS'])
    expect(formsIn('X-Amz-Security-Token: [redacted]')).toEqual([])
  })

  it('knows signatures of requests, of both versions', () => {
    const name = 'a signature of a request'
    expect(formsOf(name)).toEqual([name])
    const second = randomBytes(20).toString('base64')
    expect(formsIn(`Authorization: AWS documents:${second}`)).toEqual([name])
    expect(formsIn(`?AWSAccessKeyId=a&Signature=${encodeURIComponent(second)}&Expires=1`)).toEqual([name])
    expect(formsIn('AWS4-HMAC-SHA256 Credential=a/20261125/us-east-1/s3/aws4_request')).toEqual([])
    expect(formsIn('Signature=[redacted], AWS documents:none')).toEqual([])
  })

  it('knows tickets and cursors of the service, and no digest or name of a document', () => {
    expect(formsOf('an upload ticket')).toEqual(['an upload ticket'])
    expect(formsInJson('an upload ticket')).toEqual(['an upload ticket'])
    expect(formsOf('a cursor')).toEqual(['a cursor'])
    expect(formsIn(JSON.stringify({ nextCursor: `${hex(20)}.${hex(43)}` }))).toEqual(['a cursor'])
    expect(formsIn(`{"nextCursor":null,"digest":"sha256:${hex(64)}"}`)).toEqual([])
    expect(formsIn('cursor: orders-api.tgz')).toEqual([])
  })

  it('knows signed and encrypted tokens, and no other text in base64', () => {
    expect(formsOf('a signed token')).toEqual(['a signed token'])
    expect(formsOf('an encrypted token')).toEqual(['an encrypted token'])
    expect(formsIn(`${(planted['a signed token'] ?? '').split('.')[0]}.…`)).toEqual([])
    expect(formsIn(Buffer.from(JSON.stringify({ a: hex(100) })).toString('base64'))).toEqual([])
  })

  it('knows a bearer token, and neither a challenge nor a sentence', () => {
    expect(formsOf('a bearer token')).toEqual(['a bearer token'])
    expect(formsIn(`{"authorization":"Bearer ${hex(43)}"}`)).toEqual(['a bearer token'])
    expect(formsIn('WWW-Authenticate: Bearer realm="documents1", error="invalid_token"')).toEqual([])
    expect(formsIn('Bearer [redacted], bearer authentication-and-authorisation')).toEqual([])
  })

  it('knows passwords in Basic authentication and of registries, and no word in base64', () => {
    expect(formsOf('a password of Basic authentication')).toEqual(['a password of Basic authentication'])
    expect(formsOf('a password of a registry')).toEqual(['a password of a registry'])
    expect(formsIn(`Basic ${Buffer.from('user:password').toString('base64')}`)).toEqual([])
    expect(formsIn('basic authentication, Basic ABCDEFGHIJKLMNOPQRSTUVWXYZ')).toEqual([])
  })

  it('knows credentials in an address, and neither a port, nor a mail address, nor a template', () => {
    expect(formsOf('credentials in an address')).toEqual(['credentials in an address'])
    expect(formsIn('http://127.0.0.1:9000/documents/versions/1@sha256')).toEqual([])
    expect(formsIn('https://user:password@store.example, ssh://git@host.example:2222/a1')).toEqual([])
    expect(formsIn(`https://$\{user1}:$\{passwordOfTheUser1}@store.example`)).toEqual([])
  })

  it('knows what a sign-in gives out, and not its names', () => {
    expect(formsOf('a token of a sign-in')).toEqual(['a token of a sign-in'])
    expect(formsInJson('a token of a sign-in')).toEqual(['a token of a sign-in'])
    expect(formsIn(`grant_type=authorization_code&code_verifier=${hex(43)}`)).toEqual([
      'a token of a sign-in',
    ])
    expect(formsOf('a code of a sign-in')).toEqual(['a code of a sign-in'])
    expect(formsIn('access_token: string, id_token_signed_response_alg: "RS256", ?code=201')).toEqual([])
  })

  it('knows what joins a Swarm, a key of Ceph and a token of a code host', () => {
    expect(formsOf('a token of a Swarm')).toEqual(['a token of a Swarm'])
    expect(formsOf('a key of Ceph')).toEqual(['a key of Ceph'])
    expect(formsOf('a token of a code host')).toEqual(['a token of a code host'])
    // As long as they were once, and as they may get.
    expect(formsIn(`gho_${hex(20)} ghs_${hex(200)}`)).toEqual(Array(2).fill('a token of a code host'))
    expect(formsIn('SWMTKN-1-<token>, key = AQ, npm_config_user_agent_of_this_process1')).toEqual([])
  })

  it('knows a secret in a setting and in the environment, and neither a file nor a place', () => {
    expect(formsOf('a secret in a setting')).toEqual(['a secret in a setting'])
    expect(formsOf('a secret in the environment')).toEqual(['a secret in the environment'])
    expect(formsIn(`TICKET_SIGNING_KEY=${hex(64)}`)).toEqual(['a secret in the environment'])
    expect(formsIn(`HCLOUD_TOKEN=${hex(64)}`)).toEqual(['a secret in the environment'])
    expect(formsIn(`secretFile: '${hex(40)}'`)).toEqual(['a secret in a setting'])
    expect(formsIn("secretFile: '/run/secrets/minio_root_password_of_the_store'")).toEqual([])
    expect(formsIn("{ S3_SECRET_ACCESS_KEY_FILE: '/run/secrets/s3_secret_access_key' }")).toEqual([])
    expect(formsIn('DOCUMENTS_TOKEN_FILE=token-of-the-tenant-number-1, TOKEN_SECONDS=3600')).toEqual([])
    expect(formsIn('S3_ACCESS_KEY_ID=documents-service-of-acme-1')).toEqual([])
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
