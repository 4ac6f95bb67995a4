/**
 * SHA-256 as S3 carries it: base64, in one header
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html).
 */
const checksumHeader = 'x-amz-checksum-sha256'

/** Returns the header, or form field, that has a store refuse bytes of another SHA-256 (hexadecimal). */
export function checksumOf(sha256: string): Record<typeof checksumHeader, string> {
  return { [checksumHeader]: base64OfHex(sha256) }
}

/** Returns the same number in base64. */
export function base64OfHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64')
}

/** Returns the SHA-256 (hexadecimal) that an answer reports for the bytes; not a checksum of checksums (`<base64>-<parts>`). */
export function reportedSha256(headers: Headers): string | undefined {
  const reported = headers.get(checksumHeader)
  if (reported === null || reported.includes('-')) return undefined
  return Buffer.from(reported, 'base64').toString('hex')
}

/**
 * Tells whether an answer reports this SHA-256 (hexadecimal) for a whole object. Of one that was uploaded as one part it
 * reports a checksum of checksums: the SHA-256 of that part's SHA-256.
 */
export function vouchesFor(headers: Headers, sha256: string | undefined): boolean {
  const reported = headers.get(checksumHeader)
  if (reported === null || sha256 === undefined) return false
  if (reported === base64OfHex(sha256)) return true
  return reported === `${Bun.SHA256.hash(Buffer.from(sha256, 'hex'), 'base64')}-1`
}
