/**
 * Signs for some seconds, as a process of its own; SIGN_PLAN says what. Prints how many signatures were made, and in how many
 * seconds.
 */
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { createRequestSigner, emptySha256 } from '../../service/object-store/s3/request-signer.ts'
import { createS3TransferSigner } from '../../service/object-store/s3/s3-transfer-signer.ts'

/**
 * - `headers`: as the service signs a call to the store; `url`: as it signs a download.
 * - `presigner`: the same URL by the SDK alone.
 * - `hmac`: no more than the cryptography that a signature needs.
 */
export type Signing = 'headers' | 'url' | 'presigner' | 'hmac'

interface Plan {
  signing: Signing
  seconds: number
}

const { signing, seconds }: Plan = JSON.parse(process.env.SIGN_PLAN ?? '')
const key = `docs/tenants/acme/documents/bench/some-document.json/${'a'.repeat(64)}`
/** Between two looks at the clock. */
const batch = 200

const connection = {
  endpoint: 'http://127.0.0.1:9000',
  region: 'us-east-1',
  accessKeyId: 'AKEXAMPLE',
  secretAccessKey: crypto.randomUUID(),
  forcePathStyle: true,
  bucket: 'cloudlysis-docs',
  connectionsMax: 1,
}
const expiresInSeconds = 300
const contentDisposition = 'attachment; filename="some-document.json"'

const signers: Record<Signing, () => () => unknown> = {
  headers() {
    const sign = createRequestSigner(connection)
    return () => sign({ method: 'GET', key, payloadSha256: emptySha256 })
  },
  url() {
    const signer = createS3TransferSigner({ ...connection, publicEndpoint: connection.endpoint })
    return () => signer.get({ key, contentDisposition, expiresInSeconds })
  },
  presigner() {
    const { endpoint, region, bucket, ...credentials } = connection
    const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials })
    return () => {
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ResponseContentDisposition: contentDisposition,
        ResponseCacheControl: 'private, no-store',
      })
      return getSignedUrl(client, command, { expiresIn: expiresInSeconds })
    }
  },
  hmac: hmacChain,
}

process.stdout.write(`${await signed(signers[signing]())}\n`)

async function signed(sign: () => unknown): Promise<string> {
  const started = performance.now()
  let signed = 0
  while (performance.now() - started < seconds * 1000) {
    for (let at = 0; at < batch; at += 1) await sign()
    signed += batch
  }
  return `${signed} ${(performance.now() - started) / 1000}`
}

/**
 * SHA-256 of the canonical request and HMAC of the string to sign; the other four HMACs make a key that holds
 * for a day. Source: AWS Signature Version 4, "Create a signed request".
 */
function hmacChain() {
  const secret = new Uint8Array(32)
  const canonicalRequest = `GET\n/cloudlysis-docs/${key}\n\nhost:127.0.0.1:9000\nx-amz-content-sha256:${emptySha256}\nx-amz-date:20260101T000000Z\n\nhost;x-amz-content-sha256;x-amz-date\n${emptySha256}`
  const head = 'AWS4-HMAC-SHA256\n20260101T000000Z\n20260101/us-east-1/s3/aws4_request\n'
  return async () => {
    const hash = new Bun.CryptoHasher('sha256').update(canonicalRequest).digest('hex')
    return new Bun.CryptoHasher('sha256', secret).update(head + hash).digest('hex')
  }
}
