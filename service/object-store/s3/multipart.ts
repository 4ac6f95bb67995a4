import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import {
  type CallOptions,
  type MultipartOptions,
  type MultipartUpload,
  type ObjectStore,
  ObjectStoreError,
  type PutResult,
  type UnfinishedUpload,
} from '../object-store.ts'
import { unquote } from './answers.ts'
import { base64OfHex } from './checksum.ts'
import type { S3Call } from './client.ts'
import { statusOf } from './errors.ts'
import { encodeKey } from './request-signer.ts'

type Multipart = Pick<ObjectStore, 'listUnfinished' | 'abortUnfinished'> & {
  startMultipart(key: string, options: StartOptions): Promise<S3Upload>
}

interface StartOptions extends MultipartOptions {
  metadata?: Readonly<Record<string, string>>
  /** Each part is sent with its SHA-256, which the store keeps. */
  keepsChecksum?: boolean
}

/** An upload of parts, with what the port itself does not offer. */
export interface S3Upload extends MultipartUpload {
  /** Copies an object as the next part. @returns false if it is absent or has another ETag than `ifMatch`. */
  copyPart(from: string, options: CallOptions & { ifMatch: string }): Promise<boolean>
  /** Has the next part sent by a request with this query. @param sha256 hexadecimal; with `keepsChecksum` */
  sendPart(
    send: (query: Record<string, string>) => Promise<PutResult | null>,
    sha256?: string | undefined,
  ): Promise<void>
  /** As `complete`, if there is nothing under the key yet. @returns `null` if there is. */
  completeAbsent(options?: CallOptions): Promise<PutResult | null>
}

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
    await call({ operation, key: Key, signal, nullOn: [404] }, (options) => client.send(command, options))
  }

  function upload(Key: string, UploadId: string, started: StartOptions): S3Upload {
    const parts: { PartNumber: number; ETag: string; ChecksumSHA256?: string }[] = []

    /** True if the object under the key is what these parts become, metadata included. */
    async function isJoined(options: { abortSignal: AbortSignal }): Promise<boolean> {
      const look = new HeadObjectCommand({ Bucket, Key })
      const found = await client.send(look, options).catch((error: unknown) => {
        if (statusOf(error) !== 404) throw error
      })
      if (!found) return false
      const { contentType, metadata } = started
      const described = found.ContentType === contentType && Bun.deepEquals(found.Metadata, { ...metadata })
      return unquote(found.ETag ?? '') === etagOfParts(parts) && described
    }

    /**
     * Joins the parts. The store forgets an upload that it has joined (404), and finds its own object under the key
     * (412), if an earlier try whose answer was lost has done that.
     *
     * @returns `null` if `condition` does not hold.
     */
    function join(condition: { IfNoneMatch?: '*' }, signal: AbortSignal | undefined) {
      const MultipartUpload = { Parts: parts }
      const command = new CompleteMultipartUploadCommand({
        ...{ Bucket, Key, UploadId, MultipartUpload },
        ...condition,
      })
      const nullOn = condition.IfNoneMatch ? [412] : []
      return call({ operation: 'complete', key: Key, signal, deadlineSeconds, nullOn }, (options, tries) =>
        client.send(command, options).catch(async (error: unknown) => {
          const status = statusOf(error)
          const mayBeOwn = tries > 1 && [404, ...nullOn].includes(status)
          if (!mayBeOwn) throw error
          if (await isJoined(options)) return { ETag: etagOfParts(parts) }
          // Joined, perhaps, and deleted or replaced since.
          throw status === 404 ? new ObjectStoreError('unavailable', 'complete', 'NoSuchUpload') : error
        }),
      )
    }

    function joined(answer: { ETag?: string | undefined } | null): PutResult {
      // RGW 16.2 completes the upload, but answers with an empty ETag.
      return { etag: unquote(answer?.ETag ?? '') || etagOfParts(parts) }
    }

    return {
      async uploadPart(bytes, { signal } = {}) {
        const PartNumber = parts.length + 1
        const size = { ContentLength: bytes.byteLength }
        const command = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: bytes, ...size })
        const answer = await call({ operation: 'uploadPart', key: Key, signal, deadlineSeconds }, (options) =>
          client.send(command, options),
        )
        parts.push({ PartNumber, ETag: answer?.ETag ?? '' })
      },

      async copyPart(from, { ifMatch, signal }) {
        const PartNumber = parts.length + 1
        const command = new UploadPartCopyCommand({
          ...{ Bucket, Key, UploadId, PartNumber },
          CopySource: encodeKey(`${Bucket}/${from}`),
          CopySourceIfMatch: ifMatch,
        })
        const options = { operation: 'copyPart', key: Key, signal, deadlineSeconds, nullOn: [404, 412] }
        const answer = await call(options, (o) => client.send(command, o))
        if (!answer) return false
        parts.push({ PartNumber, ETag: answer.CopyPartResult?.ETag ?? '' })
        return true
      },

      async sendPart(send, sha256) {
        const PartNumber = parts.length + 1
        const sent = await send({ partNumber: String(PartNumber), uploadId: UploadId })
        const checksum = sha256 !== undefined && { ChecksumSHA256: base64OfHex(sha256) }
        parts.push({ PartNumber, ETag: `"${sent?.etag}"`, ...checksum })
      },

      async complete({ signal } = {}) {
        return joined(await join({}, signal))
      },

      async completeAbsent({ signal } = {}) {
        const answer = await join({ IfNoneMatch: '*' }, signal)
        return answer && joined(answer)
      },

      async abort() {
        // The sweeper or the store's own rule removes what cannot be aborted now.
        await abort(Key, UploadId, 'abort').catch(() => {})
      },
    }
  }

  return {
    async startMultipart(key, options) {
      const { contentType, metadata, keepsChecksum, signal } = options
      const command = new CreateMultipartUploadCommand({
        ...{ Bucket, Key: key, ContentType: contentType },
        ...(metadata ? { Metadata: { ...metadata } } : {}),
        ...(keepsChecksum ? { ChecksumAlgorithm: 'SHA256' } : {}),
      })
      // Not ended by the signal once it is sent: the store would keep an upload whose id no one has learnt.
      const begin = async () => {
        const answer = await call({ operation: 'startMultipart', key }, (o) => {
          signal?.throwIfAborted()
          return client.send(command, o)
        })
        if (!answer?.UploadId) throw new ObjectStoreError('rejected', 'startMultipart', 'NoUploadId')
        return upload(key, answer.UploadId, options)
      }
      return signal ? unlessAborted(begin, signal) : begin()
    },

    async listUnfinished(prefix, { signal } = {}) {
      const found: UnfinishedUpload[] = []
      let marker: { KeyMarker?: string; UploadIdMarker?: string } = {}
      for (;;) {
        const command = new ListMultipartUploadsCommand({ Bucket, Prefix: prefix, ...marker })
        const page: ListMultipartUploadsCommandOutput | null = await call(
          { operation: 'listUnfinished', key: prefix, signal },
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

/** Rejects with the reason of the signal as soon as it is aborted, and aborts the upload that begins nevertheless. */
async function unlessAborted(begin: () => Promise<S3Upload>, signal: AbortSignal): Promise<S3Upload> {
  signal.throwIfAborted()
  const beginning = begin()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([beginning, aborted.promise])
  } catch (error) {
    beginning.then(
      (upload) => upload.abort(),
      () => {},
    )
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
