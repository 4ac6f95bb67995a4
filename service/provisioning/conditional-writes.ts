import { randomBytes } from 'node:crypto'
import type { BucketSettingsClient } from '../object-store/s3/bucket-settings.ts'
import type { S3Connection } from '../object-store/s3/connection.ts'
import { createS3ObjectStore } from '../object-store/s3/s3-object-store.ts'

/**
 * Tells whether writes in this bucket obey their conditions: If-None-Match keeps an existing key, the right If-Match
 * succeeds and a stale one does not. RGW 16.2 does so only where it keeps no versions (measured). Writes a key of its
 * own and removes it.
 *
 * @throws {ObjectStoreError} where the store fails.
 */
export async function conditionalWritesHold(connection: S3Connection, prefix: string): Promise<boolean> {
  const store = createS3ObjectStore(connection)
  const key = `${prefix}staging/_provision/${crypto.randomUUID()}`
  const bytes = new TextEncoder().encode('a record')
  const put = (condition?: { absent: true } | { etag: string }) =>
    store.put(key, bytes, { size: bytes.byteLength, contentType: 'text/plain', condition })
  try {
    const first = await put()
    if (first === null || (await put({ absent: true })) !== null) return false
    return (await put({ etag: '0'.repeat(32) })) === null && (await put({ etag: first.etag })) !== null
  } finally {
    await store.delete(key).catch(() => {})
    store.close()
  }
}

/** What the operator should know where {@link conditionalWritesHold} is false. */
export const noConditions =
  'this store has no conditions of writes where it keeps versions: several replicas would overwrite each other’s ' +
  'documents, and the service ends with 78 unless SINGLE_REPLICA is true'

/**
 * Tells what speaks against versions in the bucket of the documents, or `undefined`. They cannot be switched off again,
 * and nothing but a trial tells what conditions are worth then; so it is tried in a bucket of its own, which is removed.
 *
 * @throws {ObjectStoreError} where the store fails, also if it does not let this key create a bucket.
 */
export async function problemOfVersions(
  settings: BucketSettingsClient,
  connection: S3Connection,
): Promise<string | undefined> {
  // Names of buckets have at most 63 characters.
  const bucket = `${connection.bucket.slice(0, 50)}-${randomBytes(6).toString('hex')}`
  const refused = await settings.create(bucket, { objectLock: false })
  if (refused) return `a bucket for a trial of versions could not be created (${refused.refused})`
  try {
    // What the store refuses here, it refuses in the bucket of the documents too, and that is reported.
    if (await settings.putVersioning(bucket)) return undefined
    const held = await conditionalWritesHold({ ...connection, bucket }, '')
    return held ? undefined : `${noConditions} (tried in a bucket that was removed again)`
  } finally {
    await settings.remove(bucket)
  }
}
