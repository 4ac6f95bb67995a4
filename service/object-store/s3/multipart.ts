import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import {
  type MultipartUpload,
  type ObjectStore,
  ObjectStoreError,
  type UnfinishedUpload,
} from '../object-store.ts'
import { unquote } from './answers.ts'
import type { S3Call } from './client.ts'
import { statusOf } from './errors.ts'

type Multipart = Pick<ObjectStore, 'startMultipart' | 'listUnfinished' | 'abortUnfinished'>

/**
 * Creates the port's uploads in parts.
 *
 * @param deadlineSeconds for a part, and for joining them.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
export function createS3Multipart(
  client: S3Client,
  call: S3Call,
  Bucket: string,
  deadlineSeconds: number,
): Multipart {
  async function abort(Key: string, UploadId: string, operation: string, signal?: AbortSignal) {
    const command = new AbortMultipartUploadCommand({ Bucket, Key, UploadId })
    await call({ operation, signal, nullOn: [404] }, (options) => client.send(command, options))
  }

  /** The store forgets an upload that it has joined; an earlier try whose answer was lost may have done that. */
  async function joinedBefore(
    error: unknown,
    Key: string,
    etag: string,
    options: { abortSignal: AbortSignal },
  ) {
    if (statusOf(error) !== 404) return false
    const found = await client.send(new HeadObjectCommand({ Bucket, Key }), options)
    return unquote(found.ETag ?? '') === etag
  }

  function upload(Key: string, UploadId: string): MultipartUpload {
    const parts: { PartNumber: number; ETag: string }[] = []
    return {
      async uploadPart(bytes, { signal } = {}) {
        const PartNumber = parts.length + 1
        const size = { ContentLength: bytes.byteLength }
        const command = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: bytes, ...size })
        const answer = await call({ operation: 'uploadPart', signal, deadlineSeconds }, (options) =>
          client.send(command, options),
        )
        parts.push({ PartNumber, ETag: answer?.ETag ?? '' })
      },

      async complete({ signal } = {}) {
        const MultipartUpload = { Parts: parts }
        const command = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload })
        const etag = etagOfParts(parts)
        const answer = await call({ operation: 'complete', signal, deadlineSeconds }, (options, tries) =>
          client.send(command, options).catch(async (error: unknown) => {
            if (tries > 1 && (await joinedBefore(error, Key, etag, options))) return { ETag: etag }
            throw error
          }),
        )
        // RGW 16.2 completes the upload, but answers with an empty ETag.
        return { etag: unquote(answer?.ETag ?? '') || etag }
      },

      async abort() {
        // The sweeper or the store's own rule removes what cannot be aborted now.
        await abort(Key, UploadId, 'abort').catch(() => {})
      },
    }
  }

  return {
    async startMultipart(key, { contentType, signal }) {
      const command = new CreateMultipartUploadCommand({ Bucket, Key: key, ContentType: contentType })
      const answer = await call({ operation: 'startMultipart', signal }, (options) =>
        client.send(command, options),
      )
      if (!answer?.UploadId) throw new ObjectStoreError('rejected', 'startMultipart', 'NoUploadId')
      return upload(key, answer.UploadId)
    },

    async listUnfinished(prefix, { signal } = {}) {
      const found: UnfinishedUpload[] = []
      let marker: { KeyMarker?: string; UploadIdMarker?: string } = {}
      for (;;) {
        const command = new ListMultipartUploadsCommand({ Bucket, Prefix: prefix, ...marker })
        const page: ListMultipartUploadsCommandOutput | null = await call(
          { operation: 'listUnfinished', signal },
          (options) => client.send(command, options),
        )
        for (const { Key, UploadId, Initiated } of page?.Uploads ?? []) {
          if (Key && UploadId && Initiated) found.push({ key: Key, uploadId: UploadId, startedAt: Initiated })
        }
        if (!page?.IsTruncated || !page.NextKeyMarker) return found
        marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker ?? '' }
      }
    },

    async abortUnfinished(key, uploadId, { signal } = {}) {
      await abort(key, uploadId, 'abortUnfinished', signal)
    },
  }
}

/**
 * Returns the ETag that S3 gives to an object in parts: the MD5 of the parts' MD5s, and their number
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html).
 */
function etagOfParts(parts: { ETag: string }[]): string {
  const hasher = new Bun.CryptoHasher('md5')
  for (const { ETag } of parts) hasher.update(Buffer.from(unquote(ETag), 'hex'))
  return `${hasher.digest('hex')}-${parts.length}`
}
