import type { BucketSettings, S3CorsRule, S3LifecycleRule } from '../object-store/s3/bucket-settings.ts'
import { describeRule, type ObjectLock, type WantedBucket } from './wanted-bucket.ts'

/** In the order in which they are done: the policy comes last, when everything it would forbid is done. */
export type Setting = 'bucket' | 'versioning' | 'object lock' | 'lifecycle' | 'cors' | 'policy'

/** One difference between what is and what should be. */
export interface Change {
  bucket: string
  setting: Setting
  is: string
  shouldBe: string
  /** Why it cannot be done, where that is known beforehand. */
  impossible?: string
}

/** What stays although it was not asked for; the operator should know. */
export interface Remark {
  bucket: string
  remark: string
}

/** Returns what has to change. @param state `null` for a bucket that does not exist */
export function planBucket(wanted: WantedBucket, state: BucketSettings | null): Change[] {
  const { bucket } = wanted.place
  const lockable = state === null ? wanted.objectLock !== null : state.objectLock !== null
  const found = state ?? emptyBucket(lockable)
  const changes: Omit<Change, 'bucket'>[] = []
  if (state === null) {
    const shouldBe = lockable ? 'there, with object lock' : 'there'
    changes.push({ setting: 'bucket', is: 'absent', shouldBe })
  }
  if (wanted.versioning && found.versioning !== 'Enabled') {
    changes.push({ setting: 'versioning', is: found.versioning, shouldBe: 'Enabled' })
  }
  changes.push(...lockChanges(wanted.objectLock, found.objectLock))
  for (const rule of wanted.lifecycle) {
    const present = found.lifecycle.find(({ ID }) => ID === rule.ID)
    if (present && sameLifecycle(present, rule)) continue
    changes.push({
      setting: 'lifecycle',
      is: present ? 'another rule' : 'none',
      shouldBe: describeRule(rule),
    })
  }
  for (const rule of wanted.cors ?? []) {
    if (found.cors.some((present) => sameCors(present, rule))) continue
    const shouldBe = `browsers of ${rule.AllowedOrigins?.join(', ')} may use it`
    changes.push({ setting: 'cors', is: found.cors.length === 0 ? 'none' : 'other rules', shouldBe })
  }
  if (wanted.policy && !Bun.deepEquals(found.policy, wanted.policy)) {
    const is = found.policy === null ? 'none: every key of the project may do everything' : 'another policy'
    changes.push({
      setting: 'policy',
      is,
      shouldBe: `only ${wanted.principals?.users.join(', ')} and provisioners`,
    })
  }
  return changes.map((change) => ({ bucket, ...change }))
}

function lockChanges(wanted: ObjectLock | null, found: ObjectLock | null): Omit<Change, 'bucket'>[] {
  if (wanted === null) return []
  const shouldBe = describeLock(wanted)
  if (found === null) {
    const impossible = 'object lock is only possible for a new bucket: create another bucket, and migrate'
    return [{ setting: 'object lock', is: 'off', shouldBe, impossible }]
  }
  if (wanted.retention === undefined || Bun.deepEquals(wanted.retention, found.retention)) return []
  return [{ setting: 'object lock', is: describeLock(found), shouldBe }]
}

function describeLock({ retention }: ObjectLock): string {
  return retention ? `${retention.mode} for ${retention.days} days` : 'on, without a retention'
}

/** The settings of a bucket right after it was created. */
function emptyBucket(lockable: boolean): BucketSettings {
  return {
    versioning: lockable ? 'Enabled' : 'off',
    objectLock: lockable ? {} : null,
    lifecycle: [],
    cors: [],
    policy: null,
  }
}

/** Returns remarks on a bucket: rules of others stay, and some of them can delete documents. */
export function remarksOn(wanted: WantedBucket, state: BucketSettings | null): Remark[] {
  const { bucket } = wanted.place
  const ours = new Set(wanted.lifecycle.map(({ ID }) => ID))
  const foreign = (state?.lifecycle ?? []).filter(({ ID }) => ID === undefined || !ours.has(ID))
  const remarks = foreign.map(({ ID = 'without a name', Expiration }) => {
    const deletes = Expiration?.Days !== undefined || Expiration?.Date !== undefined
    return `lifecycle rule ${ID} is not ours and stays${deletes ? ': it deletes objects' : ''}`
  })
  if (wanted.policy === null) {
    remarks.push('no policy is asked for: PROVISION_…_PRINCIPALS names no one for this bucket')
  }
  return remarks.map((remark) => ({ bucket, remark }))
}

/** Stores answer with the prefix where it was or at its older place, and leave out what is empty. */
function sameLifecycle(one: S3LifecycleRule, other: S3LifecycleRule): boolean {
  return Bun.deepEquals(essenceOf(one), essenceOf(other))
}

function essenceOf(rule: S3LifecycleRule): unknown[] {
  return [
    rule.Status,
    rule.Filter?.Prefix || rule.Prefix || '',
    rule.Expiration?.Days ?? null,
    rule.Expiration?.ExpiredObjectDeleteMarker === true,
    rule.NoncurrentVersionExpiration?.NoncurrentDays ?? null,
    rule.NoncurrentVersionExpiration?.NewerNoncurrentVersions ?? null,
    rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation ?? null,
  ]
}

/** The order of values has no meaning, and RGW sorts them. */
function sameCors(one: S3CorsRule, other: S3CorsRule): boolean {
  const essence = (rule: S3CorsRule) => [
    rule.AllowedOrigins?.toSorted(),
    rule.AllowedMethods?.toSorted(),
    rule.AllowedHeaders?.map((name) => name.toLowerCase()).toSorted(),
    rule.ExposeHeaders?.toSorted(),
    rule.MaxAgeSeconds,
  ]
  return Bun.deepEquals(essence(one), essence(other))
}
