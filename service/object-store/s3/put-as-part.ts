import type { ObjectStore, PutResult } from '../object-store.ts'
import type { createS3Multipart } from './multipart.ts'
import type { S3Put } from './put.ts'

/**
 * Creates the port's `put` for `keepsKeyFree`: the stream is the only part of an upload in parts, which S3 takes up to
 * 5 GiB, and appears under its key by the completion. MinIO locks the key of a conditional PutObject from the first
 * byte to the last (measured); the completion holds the lock for a moment.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html and API_CompleteMultipartUpload.html
 */
export function createS3PutAsPart(
  startMultipart: ReturnType<typeof createS3Multipart>['startMultipart'],
  head: ObjectStore['head'],
  put: S3Put,
): S3Put {
  return async (key, body, { contentType, metadata = {}, size, sha256, keepsChecksum, signal }) => {
    // A version that is there need not be sent in vain.
    if (await head(key, { signal })) {
      if (body instanceof ReadableStream) body.cancel().catch(() => {})
      return null
    }
    const keptSha256 = keepsChecksum ? sha256 : undefined
    const upload = await startMultipart(key, {
      contentType,
      metadata,
      keepsChecksum: keptSha256 !== undefined,
      signal,
    })
    let joined: PutResult | null = null
    try {
      const options = { size, contentType, sha256, keepsChecksum, signal }
      await upload.sendPart((query) => put(key, body, { ...options, query }), keptSha256)
      joined = await upload.completeAbsent({ signal })
      return joined
    } finally {
      if (!joined) await upload.abort()
    }
  }
}
