import { CopyObjectCommand, DeleteObjectCommand } from '@aws-sdk/client-s3'
import { limits } from '../../limits.ts'
import { formatRange } from '../../wire/byte-range.ts'
import { parseRetryAfter } from '../../wire/retry-after.ts'
import {
  type GetOptions,
  type GetWholeOptions,
  type ListOptions,
  type ListPage,
  type ObjectBody,
  type ObjectBytes,
  type ObjectInfo,
  type ObjectStore,
  ObjectStoreError,
  type PrefixPage,
} from '../object-store.ts'
import { parseListPage, parsePrefixPage, toObjectInfo, unquote } from './answers.ts'
import { vouchesFor } from './checksum.ts'
import { createS3Call, createS3Client } from './client.ts'
import { deadlinesOf, type S3Connection } from './connection.ts'
import { createS3Connections } from './connections.ts'
import { createS3CopyAbsent } from './copy-absent.ts'
import { refuseAbsentBucket, toObjectStoreError } from './errors.ts'
import { createS3Multipart } from './multipart.ts'
import { toObjectBody, toObjectBytes, toPassedOn } from './object-body.ts'
import { createS3Put, eitherOf } from './put.ts'
import { createS3PutAsPart } from './put-as-part.ts'
import { encodeKey } from './request-signer.ts'
import { pauseMilliseconds } from './retries.ts'
import { createSignedFetch, type StoreRequest } from './signed-fetch.ts'

/** An accepted answer with a body that is still to be read. */
interface Unread {
  info: ObjectInfo
  response: Response
}

/** An accepted answer without an object. */
interface NoObject {
  status: number
  text: string
}

/** What a listing returns: objects, or the folders that a delimiter makes of them. */
interface PageForm<Page> {
  parse(text: string): Page
  isEmpty(page: Page): boolean
  delimiter?: string
}

const objectPages: PageForm<ListPage> = {
  parse: parseListPage,
  isEmpty: ({ objects }) => objects.length === 0,
}
const prefixPages: PageForm<PrefixPage> = {
  parse: parsePrefixPage,
  isEmpty: ({ prefixes }) => prefixes.length === 0,
  delimiter: '/',
}

type Opening = Pick<StoreRequest, 'operation' | 'headers' | 'accepts'> & { key: string }

/**
 * Creates the port on an S3-compatible bucket. It holds at most `connectionsMax` connections open; further calls
 * wait for their turn. `close` frees idle connections.
 */
export function createS3ObjectStore(connection: S3Connection): ObjectStore & { close(): void } {
  // One try: `call` repeats what may be repeated, as `signedFetch` does.
  const client = createS3Client(connection, 1)
  const connections = connection.connections ?? createS3Connections(connection.connectionsMax)
  const signedFetch = createSignedFetch(connection, connections.retries)
  const deadlines = deadlinesOf(connection)
  const call = createS3Call(connections, deadlines.answerSecondsMax)
  const Bucket = connection.bucket

  const putAtOnce = createS3Put(signedFetch, connections, deadlines)
  const head: ObjectStore['head'] = (key, { signal, checksum = false } = {}) => {
    const headers: Record<string, string> = checksum ? { 'x-amz-checksum-mode': 'ENABLED' } : {}
    return connections.use({ operation: 'head', key, signal }, () =>
      signedFetch.send(
        { operation: 'head', method: 'HEAD', key, headers, accepts: [200, 404], signal },
        (answer) => (answer.status === 404 ? null : toObjectInfo(key, answer.headers)),
      ),
    )
  }
  const { startMultipart, listUnfinished, abortUnfinished } = createS3Multipart(
    client,
    call,
    Bucket,
    deadlines.transferSecondsMax,
  )

  const putAsPart = createS3PutAsPart(startMultipart, head, putAtOnce)
  const put: ObjectStore['put'] = (key, body, options) => {
    const isPart = options.keepsKeyFree && body instanceof ReadableStream && options.size > 0
    return isPart ? putAsPart(key, body, options) : putAtOnce(key, body, options)
  }

  /** Lists until a page has rows or is the last one: a page may be without any although more follow. */
  async function listPage<Page extends { next: string | null }>(
    { prefix, limit, token, startAfter, signal }: ListOptions,
    { parse, isEmpty, delimiter }: PageForm<Page>,
  ): Promise<Page> {
    const asked = {
      ...{ 'list-type': '2', 'encoding-type': 'url', prefix, 'max-keys': String(limit) },
      ...(delimiter !== undefined && { delimiter }),
    }
    let begin: Record<string, string> = {
      ...(token !== undefined && { 'continuation-token': token }),
      ...(startAfter !== undefined && { 'start-after': startAfter }),
    }
    const request = { operation: 'list', method: 'GET', key: null, accepts: [200], signal } as const
    try {
      for (let calls = 0; calls < limits.emptyListPagesMax; calls += 1) {
        const text = await connections.use({ operation: 'list', key: prefix, signal }, () =>
          signedFetch.send({ ...request, query: { ...asked, ...begin } }, (answer) => answer.text()),
        )
        const page = parse(text)
        if (page.next === null || !isEmpty(page)) return page
        begin = { 'continuation-token': page.next }
      }
      throw new ObjectStoreError('unavailable', 'list', 'EmptyPages')
    } catch (error) {
      signal?.throwIfAborted()
      throw toObjectStoreError('list', error)
    }
  }

  /**
   * Opens an object for reading, and reads one of at most `wholeBytesMax` bytes. An accepted answer without one is returned
   * as its status.
   */
  async function open(request: Opening, options: GetOptions): Promise<ObjectBody | number>
  async function open(
    request: Opening,
    options: GetOptions,
    whole: Pick<GetWholeOptions, 'bytesMax' | 'vouchedSha256'>,
  ): Promise<ObjectBody | ObjectBytes | number>
  async function open(
    request: Opening,
    options: GetOptions,
    { bytesMax, vouchedSha256 }: Pick<GetWholeOptions, 'bytesMax' | 'vouchedSha256'> = { bytesMax: -1 },
  ) {
    const { operation, key } = request
    const abort = vouchedSha256 === undefined ? undefined : new AbortController()
    const signal = abort ? eitherOf(options.signal, abort.signal) : options.signal
    const held = await connections.acquire({ operation, key, body: 'read', signal })
    try {
      // What the caller does not stream is read here: within the deadline of the answer, and again if it breaks off.
      const read = async (response: Response): Promise<ObjectBytes | Unread | NoObject> => {
        if (!response.ok) return { status: response.status, text: await response.text() }
        const info = toObjectInfo(key, response.headers)
        if (info.size > bytesMax) return { info, response }
        const bytes = await toObjectBytes(info, response, operation)
        return vouchesFor(response.headers, vouchedSha256) ? { ...bytes, isVouched: true } : bytes
      }
      const answer = await signedFetch.send({ ...request, method: 'GET', signal }, read)
      if ('response' in answer) {
        const { info, response } = answer
        if (abort && response.body && vouchesFor(response.headers, vouchedSha256) && held.mayPassOn())
          return toPassedOn(info, response.body, { signal, abort, ...deadlines }, held)
        return toObjectBody(info, response, { ...options, ...deadlines }, held)
      }
      held.release()
      if ('body' in answer) return answer
      if (answer.status === 404) refuseAbsentBucket(operation, answer.text)
      return answer.status
    } catch (error) {
      held.release('abandoned')
      throw error
    }
  }

  return {
    startMultipart,
    listUnfinished,
    abortUnfinished,
    copyAbsent: createS3CopyAbsent(startMultipart, { head, put }),
    put,

    async get(key, options = {}) {
      const { range, ifMatch } = options
      const headers = {
        ...(range && { range: formatRange(range) }),
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
      }
      const opened = await open({ operation: 'get', key, headers, accepts: [200, 206, 404] }, options)
      return typeof opened === 'number' ? null : opened
    },

    async getWhole(key, { unless, signal, ...whole }) {
      const headers: Record<string, string> = {
        ...(unless !== undefined && { 'if-none-match': unless }),
        ...(whole.vouchedSha256 !== undefined && { 'x-amz-checksum-mode': 'ENABLED' }),
      }
      const accepts = unless === undefined ? [200, 404] : [200, 304, 404]
      const opened = await open({ operation: 'getWhole', key, headers, accepts }, { signal }, whole)
      if (typeof opened !== 'number') return opened
      return opened === 304 ? 'unchanged' : null
    },

    head,

    async copy(from, to, { ifMatch, contentType, metadata, signal }) {
      const command = new CopyObjectCommand({
        Bucket,
        Key: to,
        CopySource: encodeKey(`${Bucket}/${from}`),
        CopySourceIfMatch: ifMatch,
        ContentType: contentType,
        Metadata: { ...metadata },
        // Without it the copy would carry the source's metadata, and ours would be ignored.
        MetadataDirective: 'REPLACE',
      })
      // The store may take as long as it needs to read and write the bytes.
      const deadlineSeconds = deadlines.transferSecondsMax
      const options = { operation: 'copy', key: to, signal, nullOn: [412, 404], deadlineSeconds }
      const answer = await call(options, (o) => client.send(command, o))
      return answer && { etag: unquote(answer.CopyObjectResult?.ETag ?? '') }
    },

    list: (options) => listPage(options, objectPages),
    listPrefixes: (options) => listPage(options, prefixPages),

    async delete(key, { signal } = {}) {
      const command = new DeleteObjectCommand({ Bucket, Key: key })
      await call({ operation: 'delete', key, signal }, (o) => client.send(command, o))
    },

    async deleteBefore(key, { signedAt, expiresInSeconds, signal }) {
      const operation = 'deleteBefore'
      const presign = { signedAt, expiresInSeconds }
      for (let tries = 1; ; tries += 1) {
        const answer = await connections.use({ operation, key, signal }, () =>
          signedFetch.send(
            {
              ...{ operation, method: 'DELETE', key, accepts: [204, 200, 404, 403, 429] },
              ...{ presign, once: true, signal },
            },
            async (answer) => {
              const text = await answer.text()
              if (answer.status === 404) refuseAbsentBucket(operation, text)
              if (answer.status === 429) return parseRetryAfter(answer.headers.get('retry-after'))
              return answer.status === 403 ? 'refused' : 'deleted'
            },
          ),
        )
        if (typeof answer === 'string') return answer
        const pause = tries < limits.storeAttemptsMax ? pauseMilliseconds(tries, answer) : null
        if (pause === null) throw new ObjectStoreError('unavailable', operation, 'Status429', answer)
        await Bun.sleep(pause)
        signal?.throwIfAborted()
      }
    },

    async clock({ signal } = {}) {
      const date = await connections.use({ operation: 'clock', key: null, signal }, () =>
        signedFetch.send(
          { operation: 'clock', method: 'HEAD', key: null, accepts: [200], signal },
          (answer) => answer.headers.get('date'),
        ),
      )
      // RFC 9110 section 6.6.1: an origin server with a clock sends Date.
      if (date === null) throw new ObjectStoreError('rejected', 'clock', 'NoDate')
      return new Date(date)
    },

    close: () => client.destroy(),
  }
}
