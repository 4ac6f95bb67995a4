/**
 * Signing of transfers that go straight between a client and the store. A specification like
 * `object-store.ts`; what it signs is only as safe as the store, so the probe decides which methods are used.
 *
 * Every URL points at the public endpoint and is a credential until it expires: it must reach neither a log nor a
 * span.
 */
export interface TransferSigner {
  /**
   * A form that uploads one object (S3 API, "Browser-Based Uploads Using POST"): bound to the exact key, size
   * and type, and to the SHA-256 on stores that check it. The store refuses any other field.
   */
  postForm(upload: SignedUpload): Promise<SignedForm>
  /** A PUT of one object, bound by signed headers that the client must send exactly as given. */
  put(upload: SignedUpload): Promise<SignedPut>
  /** A URL for a GET of one object, which the store answers as an attachment with this name. */
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
