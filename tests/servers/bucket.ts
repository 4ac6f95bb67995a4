import { randomBytes } from 'node:crypto'
import type { StoreConnection } from '../../compose/servers/running-store.ts'
import { provisionBucket } from '../../service/object-store/s3-provision.ts'

/** Creates an empty bucket with the service's lifecycle rules and returns its name, `test-<24 hex digits>`. */
export async function freshBucket(store: StoreConnection, stagingPrefix = 'docs/staging/'): Promise<string> {
  const bucket = `test-${randomBytes(12).toString('hex')}`
  await provisionBucket(store, { bucket, stagingPrefix })
  return bucket
}

/**
 * Lets the browsers of these origins send to the bucket and fetch from it, and no others. MinIO has no rule per
 * bucket: there `http://127.0.0.1:…` is let in everywhere, and nobody else (`store.ts`).
 */
export async function admitBrowsers(
  store: StoreConnection & { bucket: string },
  browserOrigins: readonly string[],
): Promise<void> {
  const { bucket } = store
  await provisionBucket(store, { bucket, stagingPrefix: 'docs/staging/', browserOrigins })
}
