import type { S3Connection } from '../object-store/s3/connection.ts'
import { createS3ObjectStore } from '../object-store/s3/s3-object-store.ts'

/**
 * Tells whether a put with the right If-Match succeeds in this bucket and one with a stale ETag does not: RGW 16.2 does
 * so only where it keeps no versions (measured). Writes a key of its own and removes it.
 *
 * @throws {ObjectStoreError} where the store fails.
 */
export async function conditionalWritesHold(connection: S3Connection, prefix: string): Promise<boolean> {
  const store = createS3ObjectStore(connection)
  const key = `${prefix}staging/_provision/${crypto.randomUUID()}`
  const bytes = new TextEncoder().encode('a tag')
  const put = (etag?: string) =>
    store.put(key, bytes, {
      size: bytes.byteLength,
      contentType: 'text/plain',
      condition: etag === undefined ? undefined : { etag },
    })
  try {
    const first = await put()
    if (first === null) return false
    return (await put('0'.repeat(32))) === null && (await put(first.etag)) !== null
  } finally {
    await store.delete(key).catch(() => {})
    store.close()
  }
}

/** What the operator should know where {@link conditionalWritesHold} is false. */
export const noCompareAndSet =
  'this store has no compare-and-set where it keeps versions: the service answers If-Match on tags with 501, the last ' +
  'move wins, and an upload that races another of the same bytes leaves two copies'
