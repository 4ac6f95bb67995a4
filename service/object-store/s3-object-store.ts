import {
  CopyObjectCommand,
  DeleteObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandOutput,
} from '@aws-sdk/client-s3'
import { type ObjectStore, ObjectStoreError, type PutOptions, type PutResult } from './object-store.ts'
import { createS3Call } from './s3-call.ts'
import { createS3Client } from './s3-client.ts'
import { deadlinesOf, type S3Connection } from './s3-connection.ts'
import { createS3Connections } from './s3-connections.ts'
import { toObjectStoreError } from './s3-error.ts'
import { parseListPage, unquote } from './s3-list-xml.ts'
import { createS3Multipart } from './s3-multipart.ts'
import { defaultContentType, rangeHeader, toObjectBody } from './s3-object-body.ts'
import { exactBody, watchStall } from './s3-put-body.ts'
import { encodeKey } from './s3-request-signer.ts'
import { createSignedFetch } from './s3-signed-fetch.ts'

/**
 * The port on an S3-compatible bucket. Holds at most `connectionsMax` connections open; further calls wait
 * for their turn. `close` frees what is idle.
 */
export function createS3ObjectStore(connection: S3Connection): ObjectStore & { close(): void } {
  const client = createS3Client(connection)
  const reads = createSignedFetch(connection)
  const connections = createS3Connections(connection.connectionsMax)
  const { answerSecondsMax, transferSecondsMax } = deadlinesOf(connection)
  const call = createS3Call(connections, answerSecondsMax)
  const Bucket = connection.bucket

  return {
    ...createS3Multipart(client, call, Bucket, transferSecondsMax),

    async put(key, body, options) {
      const sent = await exactBody(body, options)
      const command = putCommand(Bucket, key, sent.body, options)
      const nullOn = refusalsOf(options.condition)
      const stall = sent.streamed ? watchStall(sent, transferSecondsMax) : null
      const signals = [options.signal, stall?.signal].filter((each) => each !== undefined)
      const signal = signals.length > 0 ? AbortSignal.any(signals) : undefined
      const deadline = stall ? { deadlineSeconds: 0 } : {}
      try {
        const answer = await call({ operation: 'put', signal, nullOn, ...deadline }, (o) =>
          client.send(command, o),
        )
        return answer && toPutResult(answer)
      } catch (error) {
        options.signal?.throwIfAborted()
        const failure = sent.failure()
        throw failure ? failure.reason : error
      } finally {
        stall?.stop()
        sent.discard()
      }
    },

    async get(key, options = {}) {
      const headers: Record<string, string> = {}
      if (options.range) headers.range = rangeHeader(options.range)
      if (options.ifMatch !== undefined) headers['if-match'] = options.ifMatch
      const release = await connections.acquire('get', options.signal)
      try {
        const response = await reads.get({ operation: 'get', key, headers, signal: options.signal })
        if (response.status !== 404)
          return toObjectBody(key, response, { ...options, answerSecondsMax }, release)
        await refuseAbsentBucket('get', response)
      } catch (error) {
        release()
        throw error
      }
      release()
      return null
    },

    async head(key, { signal, checksum = false } = {}) {
      const mode = checksum ? ({ ChecksumMode: 'ENABLED' } as const) : {}
      const command = new HeadObjectCommand({ Bucket, Key: key, ...mode })
      const answer = await call({ operation: 'head', signal, nullOn: [404] }, (o) => client.send(command, o))
      if (!answer) return null
      return {
        key,
        size: answer.ContentLength ?? 0,
        etag: unquote(answer.ETag ?? ''),
        lastModified: answer.LastModified ?? new Date(0),
        contentType: answer.ContentType ?? defaultContentType,
        metadata: answer.Metadata ?? {},
        ...wholeSha256(answer.ChecksumSHA256),
      }
    },

    async copy(from, to, { ifMatch, contentType, metadata, signal }) {
      const command = new CopyObjectCommand({
        Bucket,
        Key: to,
        CopySource: encodeKey(`${Bucket}/${from}`),
        CopySourceIfMatch: ifMatch,
        ContentType: contentType,
        Metadata: { ...metadata },
        // Without it the source's metadata would come along, and ours be ignored.
        MetadataDirective: 'REPLACE',
      })
      // The store may take as long as it needs to read and write the bytes.
      const deadlineSeconds = transferSecondsMax
      const options = { operation: 'copy', signal, nullOn: [412, 404], deadlineSeconds }
      const answer = await call(options, (o) => client.send(command, o))
      return answer && { etag: unquote(answer.CopyObjectResult?.ETag ?? '') }
    },

    async list({ prefix, startAfter, limit, signal }) {
      const query: Record<string, string> = {
        'list-type': '2',
        'encoding-type': 'url',
        prefix,
        'max-keys': String(limit),
      }
      if (startAfter !== undefined) query['start-after'] = startAfter
      const release = await connections.acquire('list', signal)
      try {
        const response = await reads.get({ operation: 'list', key: null, query, signal })
        await refuseAbsentBucket('list', response)
        return parseListPage(await response.text())
      } catch (error) {
        signal?.throwIfAborted()
        throw toObjectStoreError('list', error)
      } finally {
        release()
      }
    },

    async delete(key, { signal } = {}) {
      const command = new DeleteObjectCommand({ Bucket, Key: key })
      await call({ operation: 'delete', signal }, (o) => client.send(command, o))
    },

    async clock({ signal } = {}) {
      const command = new HeadBucketCommand({ Bucket })
      let date: string | undefined
      command.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args)
          date = (result.response as { headers?: Record<string, string> }).headers?.date
          return result
        },
        { step: 'deserialize', priority: 'low' },
      )
      await call({ operation: 'clock', signal }, (o) => client.send(command, o))
      // RFC 9110 section 6.6.1: an origin server with a clock sends Date.
      if (date === undefined) throw new ObjectStoreError('rejected', 'clock', 'NoDate')
      return new Date(date)
    },

    close() {
      client.destroy()
    },
  }
}

/** A checksum of checksums (`<base64>-<parts>`) is not the digest of the bytes. */
function wholeSha256(base64: string | undefined): { sha256?: string } {
  if (base64 === undefined || base64.includes('-')) return {}
  return { sha256: Buffer.from(base64, 'base64').toString('hex') }
}

function putCommand(
  Bucket: string,
  Key: string,
  Body: Uint8Array | ReadableStream<Uint8Array>,
  { size, contentType, metadata, condition, sha256 }: PutOptions,
): PutObjectCommand {
  const command = new PutObjectCommand({
    Bucket,
    Key,
    Body,
    ContentLength: size,
    ContentType: contentType,
    ...(metadata ? { Metadata: { ...metadata } } : {}),
    ...conditionHeaders(condition),
  })
  if (sha256 !== undefined) {
    // The signer takes a payload hash that it finds; the store then checks the bytes against it.
    command.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { headers: Record<string, string> }
        request.headers['x-amz-content-sha256'] = sha256
        return next(args)
      },
      { step: 'build', priority: 'low' },
    )
  }
  return command
}

function conditionHeaders(condition: PutOptions['condition']): { IfNoneMatch?: '*'; IfMatch?: string } {
  if (!condition) return {}
  // Without quotes: RGW 16.2 answers 412 to every quoted ETag, MinIO takes both.
  return 'absent' in condition ? { IfNoneMatch: '*' } : { IfMatch: condition.etag }
}

/** Statuses that say "the condition does not hold": 409 is a conditional write that lost a race. */
function refusalsOf(condition: PutOptions['condition']): readonly number[] {
  if (!condition) return []
  return 'absent' in condition ? [412, 409] : [412, 409, 404]
}

function toPutResult(answer: PutObjectCommandOutput): PutResult {
  return { etag: unquote(answer.ETag ?? '') }
}

/** A 404 to a GET is an absent key, unless the store says that the bucket is what is missing. */
async function refuseAbsentBucket(operation: string, response: Response): Promise<void> {
  if (response.status !== 404) return
  const text = await response.text()
  if (operation === 'list' || text.includes('<Code>NoSuchBucket</Code>')) {
    throw new ObjectStoreError('rejected', operation, 'NoSuchBucket')
  }
}
