import type { Place } from '../config/checks.ts'
import type { S3CorsRule, S3LifecycleRule } from '../object-store/s3/bucket-settings.ts'
import { narrowingPolicy, type Policy, type Principals, type Right } from './bucket-policy.ts'

/**
 * A record of a document is overwritten with every upload. No filter of a rule can select records, since tenants are
 * before them in the key; but versions of documents are written once, so only records have more old versions than this.
 */
const oldVersionsKept = 10

/** Staged bytes and unfinished uploads older than this are left over. */
const leftoverDays = 1

export interface ObjectLock {
  /** Of every new object; without it, objects are locked one by one. */
  retention?: { mode: 'GOVERNANCE' | 'COMPLIANCE'; days: number }
}

/** How a bucket should be set up. What is `null` is left as it is. */
export interface WantedBucket {
  place: Place
  versioning: boolean
  objectLock: ObjectLock | null
  lifecycle: S3LifecycleRule[]
  cors: S3CorsRule[] | null
  /** Who may do what; `null`: every key of the project may do everything. */
  policy: Policy | null
  principals: Principals | null
}

/** What is asked for, of which {@link wantedBucket} makes the settings. */
export interface BucketWishes {
  place: Place
  /** Below the bucket, such as `docs/staging/`: emptied after a day. */
  stagingPrefix?: string
  /** Below the bucket, such as `docs/tenants/`: its objects keep few old versions, where any are kept. */
  tenantsPrefix?: string
  versioning: boolean
  objectLock: ObjectLock | null
  oldVersionDays: number
  browserOrigins: readonly string[]
  rights: readonly Right[]
  principals: Principals | null
}

/** Returns how the bucket should be set up. Object lock includes versioning (S3 API, CreateBucket). */
export function wantedBucket(wishes: BucketWishes): WantedBucket {
  const { place, objectLock, principals, rights, browserOrigins } = wishes
  const versioning = wishes.versioning || objectLock !== null
  return {
    place,
    versioning,
    objectLock,
    lifecycle: lifecycleOf(wishes, versioning),
    cors: browserOrigins.length === 0 ? null : [corsRule(browserOrigins)],
    policy: principals && narrowingPolicy(place, principals, rights),
    principals,
  }
}

/** Returns the least that the UI needs to transfer directly (service/object-store/README.md, "Browsers"). */
function corsRule(origins: readonly string[]): S3CorsRule {
  return {
    ID: 'control-ui',
    AllowedOrigins: [...origins],
    AllowedMethods: ['GET', 'HEAD', 'PUT', 'POST'],
    // Those of a ticket's PUT; forms and downloads need none that a browser would ask for.
    AllowedHeaders: ['content-type', 'x-amz-checksum-sha256'],
    ExposeHeaders: ['ETag', 'Retry-After'],
    // How long a browser may cache the answer: an upload asks once, and a changed rule takes effect soon.
    MaxAgeSeconds: 600,
  }
}

function lifecycleOf(
  { stagingPrefix, tenantsPrefix, oldVersionDays }: BucketWishes,
  versioning: boolean,
): S3LifecycleRule[] {
  const rules: S3LifecycleRule[] = []
  const rule = (ID: string, Prefix: string, does: Partial<S3LifecycleRule>) =>
    rules.push({ ID, Status: 'Enabled', Filter: { Prefix }, ...does })
  if (stagingPrefix !== undefined) {
    rule('staging-expires', stagingPrefix, {
      Expiration: { Days: leftoverDays },
      // With versions, what expires is only hidden: the bytes go a day later.
      ...(versioning ? { NoncurrentVersionExpiration: { NoncurrentDays: leftoverDays } } : {}),
    })
  }
  if (versioning) {
    rule('old-versions-expire', '', {
      Expiration: { ExpiredObjectDeleteMarker: true },
      NoncurrentVersionExpiration: { NoncurrentDays: oldVersionDays },
    })
  }
  if (versioning && tenantsPrefix !== undefined) {
    rule('old-records-expire', tenantsPrefix, {
      NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: oldVersionsKept },
    })
  }
  rule('unfinished-uploads-abort', '', {
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: leftoverDays },
  })
  return rules
}

/** Describes what a rule removes. */
export function describeRule(rule: S3LifecycleRule): string {
  const of = rule.Filter?.Prefix ? ` of ${rule.Filter.Prefix}` : ''
  const after = (what: string, days: number | undefined) =>
    days === undefined ? [] : [`${what}${of} after ${days === 1 ? '1 day' : `${days} days`}`]
  const newest = rule.NoncurrentVersionExpiration?.NewerNoncurrentVersions
  const removes = [
    ...after('objects', rule.Expiration?.Days),
    ...after(
      newest === undefined ? 'old versions' : `all but the ${newest} newest old versions`,
      rule.NoncurrentVersionExpiration?.NoncurrentDays,
    ),
    ...after('unfinished uploads', rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation),
    ...(rule.Expiration?.ExpiredObjectDeleteMarker ? ['delete markers that hide nothing'] : []),
  ]
  return `${rule.ID} removes ${removes.join(', ')}`
}
