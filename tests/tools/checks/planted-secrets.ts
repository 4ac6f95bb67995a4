import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { generateSecret, SignJWT } from 'jose'
import { createCursors } from '../../../service/documents/listing/cursor.ts'
import { createTicketSigner } from '../../../service/documents/ticket-signer.ts'
import { createRequestSigner, emptySha256 } from '../../../service/object-store/s3/request-signer.ts'
import { createS3TransferSigner } from '../../../service/object-store/s3/s3-transfer-signer.ts'

const hex = (bytes: number) => randomBytes(bytes).toString('hex')
/** Random, with at least one digit and one letter. */
const word = (length: number) => `a1${randomBytes(length).toString('hex')}`.slice(0, length)
const base64 = (text: string) => Buffer.from(text).toString('base64')

const connection = {
  endpoint: 'https://store.example',
  publicEndpoint: 'https://store.example',
  region: 'us-east-1',
  bucket: 'documents',
  accessKeyId: 'documents',
  secretAccessKey: hex(20),
  forcePathStyle: true,
  connectionsMax: 1,
}

/**
 * Returns one canary for every form of secret, by the name of the form: made now, by the code that makes real ones where
 * there is such code, and in a typical context.
 */
export async function plantedSecrets(): Promise<Record<string, string>> {
  const key = new Uint8Array(randomBytes(32))
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { d } = privateKey.export({ format: 'jwk' })
  const { k } = (await crypto.subtle.exportKey(
    'jwk',
    (await generateSecret('HS256', { extractable: true })) as CryptoKey,
  )) as JsonWebKey
  const signer = createS3TransferSigner(connection)
  const request = { key: 'a', contentDisposition: 'attachment', expiresInSeconds: 60 }
  const form = await signer.postForm({
    ...{ key: 'a', size: 1, contentType: 'text/plain', sha256: hex(32), expiresInSeconds: 60 },
  })
  const url = await signer.get(request)
  signer.close()
  const sign = createRequestSigner(connection)
  const { headers } = sign({ method: 'GET', key: 'a', payloadSha256: emptySha256 })
  return {
    'a private key': String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    'a private JWK': JSON.stringify({ kty: 'EC', d }),
    'a symmetric JWK': JSON.stringify({ kty: 'oct', k }),
    'an AWS access key id': `AKIA${word(16)
      .toUpperCase()
      .replaceAll(/[0189]/g, 'Z')}`,
    'a secret access key': `secretAccessKey: ${connection.secretAccessKey}`,
    'a signature in an address or a form': url,
    'a session token of AWS': `X-Amz-Security-Token=${word(120)}`,
    'a signature of a request': `authorization: ${headers.authorization}`,
    'the policy of a signed form': form.fields.Policy ?? '',
    'an upload ticket': await createTicketSigner([key]).seal(ticketClaims, new Date()),
    'a cursor': `?limit=10&cursor=${createCursors([key]).seal(['acme'], 'tenants/acme/documents')}`,
    'a signed token': await new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'HS256' }).sign(key),
    'an encrypted token': [
      Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url'),
      '',
      word(16),
      word(40),
      word(22),
    ].join('.'),
    'a bearer token': `Authorization: Bearer ${word(43)}`,
    'a password of Basic authentication': `Authorization: Basic ${base64(`alice:${word(16)}`)}`,
    'a password of a registry': `{"auths":{"registry.example":{"auth":"${base64(`alice:${word(16)}`)}"}}}`,
    'credentials in an address': `https://alice:${word(16)}@store.example/`,
    'a token of a sign-in': JSON.stringify({ refresh_token: word(43) }),
    'a code of a sign-in': `GET /signed-in?code=${word(43)}&state=x`,
    'a token of a Swarm': `docker swarm join --token SWMTKN-1-${word(50)}-${word(25)} 127.0.0.1:2377`,
    'a key of Ceph': `key = AQ${randomBytes(27).toString('base64')}==`,
    'a token of a code host': `ghp_${word(36)}`,
    'a secret in a setting': `{"rootPassword": "${word(40)}"}`,
    'a secret in the environment': `MINIO_ROOT_PASSWORD=${word(40)}`,
  }
}

const ticketClaims = {
  ...{ id: hex(16), tenant: 'acme', type: 'bundles', name: 'a', digest: `sha256:${hex(32)}` as const },
  ...{ size: 1, contentType: 'text/plain', stagingKey: 'staging/acme/a', subject: 'alice', admittedAtMs: 1 },
}
