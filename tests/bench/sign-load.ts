/**
 * Signatures per second, as a process of its own. SIGN_PLAN says how: `service` signs requests as the service
 * does, `hmac` does no more than the cryptography that a signature needs. Prints the rate and nothing else.
 */
import { createRequestSigner, emptySha256 } from '../../service/object-store/s3/signed-fetch.ts'

interface Plan {
  side: 'service' | 'hmac'
  seconds: number
}

const { side, seconds }: Plan = JSON.parse(process.env.SIGN_PLAN ?? '')
const key = `docs/tenants/acme/documents/bench/some-document.json/${'a'.repeat(64)}`
/** Between two looks at the clock. */
const batch = 200

process.stdout.write(`${await rateOf(side === 'service' ? serviceSigner() : hmacChain())}\n`)

async function rateOf(sign: () => unknown): Promise<number> {
  const started = performance.now()
  let signed = 0
  while (performance.now() - started < seconds * 1000) {
    for (let at = 0; at < batch; at += 1) await sign()
    signed += batch
  }
  return signed / ((performance.now() - started) / 1000)
}

function serviceSigner() {
  const sign = createRequestSigner({
    endpoint: 'http://127.0.0.1:9000',
    region: 'us-east-1',
    accessKeyId: 'AKEXAMPLE',
    secretAccessKey: crypto.randomUUID(),
    forcePathStyle: true,
    bucket: 'cloudlysis-docs',
    connectionsMax: 1,
  })
  return () => sign({ method: 'GET', key, payloadSha256: emptySha256 })
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
