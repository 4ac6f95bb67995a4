import type { ObjectInfo } from '../object-store.ts'
import { unquote } from './list-xml.ts'

/** User metadata goes over the wire in headers of this prefix. */
export const metadataPrefix = 'x-amz-meta-'

/** What a store that was given no content type answers with. */
const defaultContentType = 'application/octet-stream'

/**
 * The port's view of the headers of GetObject and HeadObject.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
export function toObjectInfo(key: string, headers: Headers): ObjectInfo {
  const metadata: Record<string, string> = {}
  for (const [name, value] of headers) {
    if (name.startsWith(metadataPrefix)) metadata[name.slice(metadataPrefix.length)] = value
  }
  return {
    key,
    size: Number(headers.get('content-length') ?? 0),
    etag: unquote(headers.get('etag') ?? ''),
    lastModified: new Date(headers.get('last-modified') ?? 0),
    contentType: headers.get('content-type') ?? defaultContentType,
    metadata,
    ...wholeSha256(headers.get('x-amz-checksum-sha256')),
    ...lockOf(headers),
  }
}

/** Object lock, as far as these keys may see it (S3 API, HeadObject). A legal hold has no end. */
function lockOf(headers: Headers): { locked?: Date | 'forever' } {
  if (headers.get('x-amz-object-lock-legal-hold')?.toUpperCase() === 'ON') return { locked: 'forever' }
  const until = headers.get('x-amz-object-lock-retain-until-date')
  if (until === null) return {}
  const end = new Date(until)
  // A lock whose end cannot be read is one nevertheless.
  return { locked: Number.isNaN(end.getTime()) ? 'forever' : end }
}

/** A checksum of checksums (`<base64>-<parts>`) is not the digest of the bytes. */
function wholeSha256(base64: string | null): { sha256?: string } {
  if (base64 === null || base64.includes('-')) return {}
  return { sha256: Buffer.from(base64, 'base64').toString('hex') }
}
