import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { createPresignedPost } from '@aws-sdk/s3-presigned-post'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { SignedUpload, TransferSigner } from '../transfer-signer.ts'
import { createS3Client } from './client.ts'
import type { S3Connection } from './connection.ts'

/**
 * Creates a signer on the SDK for `publicEndpoint`, since the host is part of what is signed. It calls no store.
 *
 * @param now the clock from which lifetimes count; the probe signs in the past to see that expired URLs are refused.
 */
export function createS3TransferSigner(
  connection: S3Connection & { publicEndpoint: string },
  now: () => Date = () => new Date(),
): TransferSigner & { close(): void } {
  const client = createS3Client({ ...connection, endpoint: connection.publicEndpoint })
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
          'x-amz-checksum-sha256': base64Of(sha256),
        },
        Conditions: [['content-length-range', size, size]],
      })
      return { url, fields }
    },

    async put(upload) {
      const headers = putHeaders(upload)
      const url = await getSignedUrl(
        client,
        new PutObjectCommand({
          Bucket,
          Key: upload.key,
          ContentLength: upload.size,
          ContentType: upload.contentType,
          ChecksumSHA256: base64Of(upload.sha256),
        }),
        {
          expiresIn: upload.expiresInSeconds,
          signingDate: now(),
          // Moved to the query, the checksum would be ignored by the store; unsigned, headers bind nothing.
          unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
          signableHeaders: new Set(['host', ...Object.keys(headers)]),
        },
      )
      return { url, headers }
    },

    get({ key, contentDisposition, expiresInSeconds }) {
      const command = new GetObjectCommand({
        Bucket,
        Key: key,
        // Part of the signed query: a client cannot turn the attachment into a page of the store's origin.
        ResponseContentDisposition: contentDisposition,
        ResponseCacheControl: 'private, no-store',
      })
      return getSignedUrl(client, command, { expiresIn: expiresInSeconds, signingDate: now() })
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
    'x-amz-checksum-sha256': base64Of(sha256),
  }
}

function base64Of(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64')
}
