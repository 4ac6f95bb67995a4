import type { TransferSigner } from './transfer-signer.ts'

const upload = { key: 'x', size: 1, contentType: 'text/plain', sha256: '0'.repeat(64), expiresInSeconds: 1 }
const download = { key: 'x', contentDisposition: 'attachment', expiresInSeconds: 1 }

/**
 * The origins at which signed transfers of this signer go to the store: whether the bucket is in the host name
 * is decided by many rules (path style, IP addresses, dots in its name), so it is asked and not repeated here.
 * Nothing that it signs for this leaves the function.
 */
export async function signedOrigins(signer: TransferSigner): Promise<string[]> {
  const [form, put, get] = await Promise.all([
    signer.postForm(upload),
    signer.put(upload),
    signer.get(download),
  ])
  return [...new Set([form.url, put.url, get].map((url) => new URL(url).origin))]
}
