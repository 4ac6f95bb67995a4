import { CopyObjectCommand, DeleteObjectCommand, HeadBucketCommand } from '@aws-sdk/client-s3'
import { type ObjectStore, ObjectStoreError } from '../object-store.ts'
import { createS3Call } from './call.ts'
import { createS3Client } from './client.ts'
import { deadlinesOf, type S3Connection } from './connection.ts'
import { createS3Connections } from './connections.ts'
import { toObjectStoreError } from './error.ts'
import { parseListPage, unquote } from './list-xml.ts'
import { createS3Multipart } from './multipart.ts'
import { rangeHeader, toObjectBody } from './object-body.ts'
import { toObjectInfo } from './object-info.ts'
import { createS3Put } from './put.ts'
import { encodeKey } from './request-signer.ts'
import { createSignedFetch } from './signed-fetch.ts'

/**
 * The port on an S3-compatible bucket. Holds at most `connectionsMax` connections open; further calls wait
 * for their turn. `close` frees what is idle.
 */
export function createS3ObjectStore(connection: S3Connection): ObjectStore & { close(): void } {
  // One try: what is repeated is repeated by `call`, as `signedFetch` does it.
  const client = createS3Client(connection, 1)
  const signedFetch = createSignedFetch(connection)
  const connections = connection.connections ?? createS3Connections(connection.connectionsMax)
  const deadlines = deadlinesOf(connection)
  const { answerSecondsMax, transferSecondsMax } = deadlines
  const call = createS3Call(connections, answerSecondsMax)
  const Bucket = connection.bucket

  return {
    ...createS3Multipart(client, call, Bucket, transferSecondsMax),

    put: createS3Put(signedFetch, connections, deadlines),

    async get(key, options = {}) {
      const headers: Record<string, string> = {}
      if (options.range) headers.range = rangeHeader(options.range)
      if (options.ifMatch !== undefined) headers['if-match'] = options.ifMatch
      const release = await connections.acquire('get', options.signal)
      try {
        const request = {
          operation: 'get',
          method: 'GET',
          key,
          headers,
          accepts: [200, 206, 404],
          signal: options.signal,
        } as const
        const response = await signedFetch.send(request, (answer) => answer)
        if (response.status !== 404) return toObjectBody(key, response, { ...options, ...deadlines }, release)
        refuseAbsentBucket('get', await response.text())
      } catch (error) {
        release('abandoned')
        throw error
      }
      release()
      return null
    },

    async head(key, { signal, checksum = false } = {}) {
      const headers: Record<string, string> = checksum ? { 'x-amz-checksum-mode': 'ENABLED' } : {}
      const request = {
        operation: 'head',
        method: 'HEAD',
        key,
        headers,
        accepts: [200, 404],
        signal,
      } as const
      return connections.use('head', signal, () =>
        signedFetch.send(request, (answer) =>
          answer.status === 404 ? null : toObjectInfo(key, answer.headers),
        ),
      )
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
      try {
        const request = {
          operation: 'list',
          method: 'GET',
          key: null,
          query,
          accepts: [200],
          signal,
        } as const
        const page = await connections.use('list', signal, () =>
          signedFetch.send(request, (answer) => answer.text()),
        )
        return parseListPage(page)
      } catch (error) {
        signal?.throwIfAborted()
        throw toObjectStoreError('list', error)
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

/** A 404 to a GET is an absent key, unless the store says that the bucket is what is missing. */
function refuseAbsentBucket(operation: string, text: string): void {
  if (text.includes('<Code>NoSuchBucket</Code>')) {
    throw new ObjectStoreError('rejected', operation, 'NoSuchBucket')
  }
}
