import type { Place } from '../config/checks.ts'
import { browserAccess } from '../object-store/browser-access.ts'
import type { Right } from './bucket-policy.ts'
import { narrowingPolicy, type Policy, type Principals } from './bucket-policy.ts'

/** Staged bytes and unfinished uploads older than this belong to nobody any more. */
const leftoverDays = 1

/** A lifecycle rule, in the few words that we use of it. */
export interface LifecycleRule {
  id: string
  /** Empty: the whole bucket. */
  prefix: string
  expireDays?: number
  /** Of versions that were overwritten or deleted. */
  oldVersionDays?: number
  abortUploadDays?: number
  /** Delete markers that hide nothing any more. */
  removeMarkers?: true
}

export interface CorsRule {
  id: string
  origins: readonly string[]
  methods: readonly string[]
  headers: readonly string[]
  exposed: readonly string[]
  seconds: number
}

export interface ObjectLock {
  /** Of every new object; none: objects are locked one by one, by whoever may. */
  retention?: { mode: 'GOVERNANCE' | 'COMPLIANCE'; days: number }
}

/** What a bucket should be. What is `null` is left as it is. */
export interface WantedBucket {
  place: Place
  versioning: boolean
  objectLock: ObjectLock | null
  lifecycle: LifecycleRule[]
  cors: CorsRule[] | null
  /** Who may do what; `null`: keys of the project stay as wide as they are. */
  policy: Policy | null
  principals: Principals | null
}

export interface BucketWishes {
  place: Place
  /** Below the bucket, such as `docs/staging/`: emptied after a day. */
  stagingPrefix?: string
  versioning: boolean
  objectLock: ObjectLock | null
  oldVersionDays: number
  browserOrigins: readonly string[]
  rights: readonly Right[]
  principals: Principals | null
}

/** Object lock brings versioning along (S3 API, CreateBucket). */
export function wantedBucket(wishes: BucketWishes): WantedBucket {
  const { place, objectLock, principals, rights, browserOrigins } = wishes
  const versioning = wishes.versioning || objectLock !== null
  return {
    place,
    versioning,
    objectLock,
    lifecycle: lifecycleOf(wishes, versioning),
    cors: browserOrigins.length === 0 ? null : [{ ...browserAccess, origins: browserOrigins }],
    policy: principals && narrowingPolicy(place, principals, rights),
    principals,
  }
}

function lifecycleOf({ stagingPrefix, oldVersionDays }: BucketWishes, versioning: boolean): LifecycleRule[] {
  const rules: LifecycleRule[] = []
  if (stagingPrefix !== undefined) {
    // With versions, what expires is only hidden: the bytes go a day later.
    const oldVersions = versioning ? { oldVersionDays: leftoverDays } : {}
    rules.push({ id: 'staging-expires', prefix: stagingPrefix, expireDays: leftoverDays, ...oldVersions })
  }
  if (versioning) {
    rules.push({ id: 'old-versions-expire', prefix: '', oldVersionDays, removeMarkers: true })
  }
  rules.push({ id: 'unfinished-uploads-abort', prefix: '', abortUploadDays: leftoverDays })
  return rules
}

/** The rule as a sentence's end. */
export function describeRule({ id, prefix, ...rule }: LifecycleRule): string {
  const of = prefix === '' ? '' : ` of ${prefix}`
  const does = [
    rule.expireDays === undefined ? '' : `objects${of} after ${days(rule.expireDays)}`,
    rule.oldVersionDays === undefined ? '' : `old versions${of} after ${days(rule.oldVersionDays)}`,
    rule.abortUploadDays === undefined ? '' : `unfinished uploads${of} after ${days(rule.abortUploadDays)}`,
    rule.removeMarkers ? 'delete markers that hide nothing' : '',
  ]
  return `${id} removes ${does.filter((part) => part !== '').join(', ')}`
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`
}
