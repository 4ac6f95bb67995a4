/**
 * Signing of transfers that go straight between a client and the store. A specification like
 * `object-store.ts`; what it signs is as safe as the store is, so the probe decides which of it is used.
 *
 * Every URL points at the public endpoint, is a credential for as long as it lives, and must reach neither a
 * log nor a span.
 */
export interface TransferSigner {
  /**
   * A form that uploads one object (S3 API, "Browser-Based Uploads Using POST"): bound to the exact key, size
   * and type, and to the SHA-256 on stores that check it. Whatever else is added to the form is refused.
   */
  postForm(upload: SignedUpload): Promise<SignedForm>
  /** A PUT of one object, bound by signed headers that the client must send exactly as given. */
  put(upload: SignedUpload): Promise<SignedPut>
  /** A GET of one object, answered as an attachment of this name whatever the client asks for. */
  get(download: SignedDownload): Promise<string>
}

export interface SignedUpload {
  key: string
  /** Bytes, exactly. */
  size: number
  contentType: string
  /** SHA-256 of the bytes, hexadecimal. */
  sha256: string
  expiresInSeconds: number
}

export interface SignedForm {
  url: string
  /** Form fields, all of which go before the field `file`. */
  fields: Readonly<Record<string, string>>
}

export interface SignedPut {
  url: string
  headers: Readonly<Record<string, string>>
}

export interface SignedDownload {
  key: string
  /** Value of Content-Disposition in the store's answer. */
  contentDisposition: string
  expiresInSeconds: number
}

const exampleUpload = {
  key: 'x',
  size: 1,
  contentType: 'text/plain',
  sha256: '0'.repeat(64),
  expiresInSeconds: 1,
}
const exampleDownload = { key: 'x', contentDisposition: 'attachment', expiresInSeconds: 1 }

/**
 * Returns the origins at which this signer's transfers reach the store. Many rules (path style, IP addresses, dots in
 * the bucket's name) decide whether the bucket is part of the host name, so one of each kind is signed to find out.
 * Nothing signed for this leaves the function.
 */
export async function signedOrigins(signer: TransferSigner): Promise<string[]> {
  const [form, put, get] = await Promise.all([
    signer.postForm(exampleUpload),
    signer.put(exampleUpload),
    signer.get(exampleDownload),
  ])
  return [...new Set([form.url, put.url, get].map((url) => new URL(url).origin))]
}
