import { type ObjectStore, ObjectStoreError, type PutOptions, type PutResult } from './object-store.ts'
import type { StoreDeadlines } from './s3-connection.ts'
import type { S3Connections } from './s3-connections.ts'
import { toObjectStoreError } from './s3-error.ts'
import { unquote } from './s3-list-xml.ts'
import { metadataPrefix } from './s3-object-info.ts'
import { exactBody, watchStall } from './s3-put-body.ts'
import type { SignedFetch } from './s3-signed-fetch.ts'

/**
 * The port's put.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export function createS3Put(
  signedFetch: SignedFetch,
  connections: S3Connections,
  { transferSecondsMax }: StoreDeadlines,
): ObjectStore['put'] {
  return async (key, body, options) => {
    const sent = await exactBody(body, options)
    const stall = sent.streamed ? watchStall(sent, transferSecondsMax) : null
    try {
      const release = await connections.acquire('put', options.signal)
      const request = {
        operation: 'put',
        method: 'PUT',
        key,
        headers: headersOf(options),
        body: { content: sent.body, size: options.size, sha256: options.sha256 },
        accepts: [200, ...refusalsOf(options.condition)],
        signal: eitherOf(options.signal, stall?.signal),
      } as const
      return await signedFetch.send(request, toPutResult).finally(release)
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
  // An absent bucket is a 404 too, but never the answer about a key.
  if (text.includes('<Code>NoSuchBucket</Code>'))
    throw new ObjectStoreError('rejected', 'put', 'NoSuchBucket')
  return null
}
