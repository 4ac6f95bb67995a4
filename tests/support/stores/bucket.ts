import { randomBytes } from 'node:crypto'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import { createBucketSettings } from '../../../service/object-store/s3/bucket-settings.ts'
import { provisionBucket } from '../../../service/provisioning/apply.ts'
import { narrowingPolicy } from '../../../service/provisioning/bucket-policy.ts'
import { serviceRights } from '../../../service/provisioning/service-rights.ts'
import { docsPrefix, type StoreForTests } from './service-key.ts'

/**
 * Creates an empty bucket with the service's lifecycle rules, in which the service's key may do what it may in
 * production, and returns its name, `test-<24 hex digits>`.
 *
 * @param prefix of the documents; the users of MinIO know no other than the default one.
 */
export async function freshBucket(store: StoreForTests, prefix = docsPrefix): Promise<string> {
  const bucket = `test-${randomBytes(12).toString('hex')}`
  await provisionBucket(store, { bucket, prefix })
  await narrowServiceKey(store, bucket, prefix)
  return bucket
}

/** Creates an empty bucket without lifecycle rules, as an owner may have made it by hand, and returns its name. */
export async function bareBucket(store: StoreConnection): Promise<string> {
  const bucket = `test-${randomBytes(12).toString('hex')}`
  const settings = createBucketSettings(store)
  const refused = await settings.create(bucket, { objectLock: false })
  settings.close()
  if (refused) throw new Error(`the store does not create ${bucket}: ${refused.refused}`)
  return bucket
}

/** Sets the policy that narrows the service's key, on stores whose keys may do everything without one (RGW). */
export async function narrowServiceKey(
  store: StoreForTests,
  bucket: string,
  prefix = docsPrefix,
): Promise<void> {
  const principals = store.serviceKey?.principals
  if (principals === undefined) return
  const place = { bucket, prefix }
  const named = { provisioners: [principals.owner], users: [principals.service] }
  const settings = createBucketSettings(store)
  const refused = await settings.putPolicy(bucket, narrowingPolicy(place, named, serviceRights))
  settings.close()
  if (refused) throw new Error(`the store does not take the policy of ${bucket}: ${refused.refused}`)
}

/**
 * Allows the browsers of these origins, and no others, to send to the bucket and fetch from it. MinIO has no rule per
 * bucket: there only `http://127.0.0.1:…` is allowed, in all buckets (`store.ts`).
 */
export async function admitBrowsers(
  store: StoreConnection & { bucket: string },
  browserOrigins: readonly string[],
): Promise<void> {
  await provisionBucket(store, { bucket: store.bucket, prefix: docsPrefix }, browserOrigins)
}
