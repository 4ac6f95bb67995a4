import type { ObjectInfo, ObjectStore, PutOptions, PutResult } from '../object-store.ts'
import { metadataPrefix, toObjectInfo, unquote } from './answers.ts'
import type { S3Connections, StoreDeadlines } from './connection.ts'
import { refuseAbsentBucket, toObjectStoreError } from './errors.ts'
import { exactBody, type SentBody, watchStall } from './put-body.ts'
import type { SignedFetch, StoreRequest } from './signed-fetch.ts'

/**
 * Creates the port's `put`.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export function createS3Put(
  signedFetch: SignedFetch,
  connections: S3Connections,
  { transferSecondsMax }: StoreDeadlines,
): ObjectStore['put'] {
  /** A failed try may still have stored the body: the next try is then refused because of its own object. */
  async function send(
    key: string,
    request: StoreRequest,
    body: SentBody['body'],
    options: PutOptions,
  ): Promise<PutResult | null> {
    let lastTry = 1
    const result = await signedFetch.send(request, (response, tries) => {
      lastTry = tries
      return toPutResult(response)
    })
    if (result !== null || lastTry === 1 || !(body instanceof Uint8Array)) return result
    const { signal } = options
    const look = { operation: 'put', method: 'HEAD', key, accepts: [200, 404], signal } as const
    const found = await signedFetch.send(look, (response) =>
      response.status === 404 ? null : toObjectInfo(key, response.headers),
    )
    return found !== null && isOf(found, body, options) ? { etag: found.etag } : null
  }

  return async (key, body, options) => {
    const sent = await exactBody(body, options)
    const stall = sent.streamed ? watchStall(sent, transferSecondsMax) : null
    try {
      const request = {
        operation: 'put',
        method: 'PUT',
        key,
        headers: headersOf(options),
        body: { content: sent.body, size: options.size, sha256: options.sha256 },
        accepts: [200, ...refusalsOf(options.condition)],
        signal: eitherOf(options.signal, stall?.signal),
      } as const
      return await connections.use('put', options.signal, () => send(key, request, sent.body, options))
    } catch (error) {
      options.signal?.throwIfAborted()
      const failure = sent.failure()
      throw failure ? failure.reason : toObjectStoreError('put', error)
    } finally {
      stall?.stop()
      sent.discard()
    }
  }
}

/**
 * True if the object is the one that was sent, metadata included. Two writers who send the very same both see
 * their own. Never true where ETags are not an MD5 (encryption with a key of the caller's).
 */
function isOf(found: ObjectInfo, body: Uint8Array, { contentType, metadata = {} }: PutOptions): boolean {
  const md5 = new Bun.CryptoHasher('md5').update(body).digest('hex')
  return (
    found.etag === md5 && found.contentType === contentType && Bun.deepEquals(found.metadata, { ...metadata })
  )
}

function eitherOf(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other)
}

function headersOf({ contentType, metadata = {}, condition }: PutOptions): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': contentType, ...conditionHeaders(condition) }
  for (const [name, value] of Object.entries(metadata)) headers[metadataPrefix + name] = value
  return headers
}

function conditionHeaders(condition: PutOptions['condition']): Record<string, string> {
  if (!condition) return {}
  // Without quotes: RGW 16.2 answers 412 to every quoted ETag, MinIO takes both.
  return 'absent' in condition ? { 'if-none-match': '*' } : { 'if-match': condition.etag }
}

/** Statuses that say "the condition does not hold": 409 is a conditional write that lost a race. */
function refusalsOf(condition: PutOptions['condition']): readonly number[] {
  if (!condition) return []
  return 'absent' in condition ? [412, 409] : [412, 409, 404]
}

async function toPutResult(response: Response): Promise<PutResult | null> {
  const text = await response.text()
  if (response.status === 200) return { etag: unquote(response.headers.get('etag') ?? '') }
  refuseAbsentBucket('put', text)
  return null
}
