import { createPresignedPost } from '@aws-sdk/s3-presigned-post'
import type { SignedUpload, TransferSigner } from '../transfer-signer.ts'
import { checksumOf } from './checksum.ts'
import { createS3Client } from './client.ts'
import type { S3Connection } from './connection.ts'
import { createRequestSigner, unsignedPayload } from './request-signer.ts'

/**
 * Creates a signer for `publicEndpoint`, since the host is part of what is signed. It calls no store.
 *
 * @param now the clock from which lifetimes count; the probe signs in the past to see that expired URLs are refused.
 */
export function createS3TransferSigner(
  connection: S3Connection & { publicEndpoint: string },
  now: () => Date = () => new Date(),
): TransferSigner & { close(): void } {
  const ofBrowsers = { ...connection, endpoint: connection.publicEndpoint }
  const client = createS3Client(ofBrowsers)
  const sign = createRequestSigner(ofBrowsers)
  const Bucket = connection.bucket

  return {
    async postForm({ key, size, contentType, sha256, expiresInSeconds }) {
      const { url, fields } = await createPresignedPost(client, {
        Bucket,
        Key: key,
        // Counted from the system's clock; the policy's signature itself does not age.
        Expires: expiresInSeconds + Math.round((now().getTime() - Date.now()) / 1000),
        // Each field also becomes an exact condition; any other field is refused by the store.
        Fields: {
          'Content-Type': contentType,
          'x-amz-checksum-algorithm': 'SHA256',
          ...checksumOf(sha256),
        },
        Conditions: [['content-length-range', size, size]],
      })
      return { url, fields }
    },

    async put(upload) {
      const { key, expiresInSeconds } = upload
      // In the query, the checksum would be ignored by the store; unsigned, headers bind nothing.
      const headers = putHeaders(upload)
      const presign = { signedAt: now(), expiresInSeconds }
      const { url } = sign({ method: 'PUT', key, headers, payloadSha256: unsignedPayload, presign })
      return { url, headers }
    },

    async get({ key, contentDisposition, expiresInSeconds }) {
      // Part of the signed query: a client cannot turn the attachment into a page of the store's origin.
      const query = {
        'response-cache-control': 'private, no-store',
        'response-content-disposition': contentDisposition,
      }
      const presign = { signedAt: now(), expiresInSeconds }
      return sign({ method: 'GET', key, query, payloadSha256: unsignedPayload, presign }).url
    },

    close() {
      client.destroy()
    },
  }
}

function putHeaders({ size, contentType, sha256 }: SignedUpload): Record<string, string> {
  return {
    'content-length': String(size),
    'content-type': contentType,
    ...checksumOf(sha256),
  }
}
