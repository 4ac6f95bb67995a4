import type { Place } from '../config/checks.ts'
import {
  type BucketSettings,
  type BucketSettingsClient,
  createBucketSettings,
  type Refused,
  type S3LifecycleRule,
} from '../object-store/s3/bucket-settings.ts'
import type { S3Endpoint } from '../object-store/s3/client.ts'
import { type Policy, trialStatement } from './bucket-policy.ts'
import { type Change, planBucket, type Setting } from './plan.ts'
import { describeRule, type WantedBucket, wantedBucket } from './wanted-bucket.ts'

/** How one change went. */
export interface Outcome extends Change {
  done: boolean
  /** Why not, and what follows. */
  why?: string
  /** The store is known to take care of it by itself: no reason to fail. */
  harmless?: true
}

/**
 * Sets up the bucket of the documents with an owner's key, for local stores and tests: creates it, lets staged bytes
 * and unfinished uploads expire after a day and, with `browserOrigins`, lets pages of these origins use signed URLs.
 * Can be repeated.
 *
 * @throws {ObjectStoreError} where the store fails or refuses the key.
 */
export async function provisionBucket(
  endpoint: S3Endpoint,
  place: Place,
  browserOrigins: readonly string[] = [],
): Promise<Outcome[]> {
  const settings = createBucketSettings(endpoint)
  const stagingPrefix = `${place.prefix}staging/`
  const plain = { versioning: false, objectLock: null, oldVersionDays: 1, rights: [], principals: null }
  try {
    return await applyBucket(settings, wantedBucket({ ...plain, place, stagingPrefix, browserOrigins }))
  } finally {
    settings.close()
  }
}

/**
 * Sets up one bucket as it should be. Does only what {@link planBucket} finds, so that it can be repeated.
 *
 * @throws {ObjectStoreError} where the store fails or denies the key.
 */
export async function applyBucket(settings: BucketSettingsClient, wanted: WantedBucket): Promise<Outcome[]> {
  const state = await settings.read(wanted.place.bucket)
  const bucket = { settings, wanted, state }
  const outcomes: Outcome[] = []
  for (const [setting, changes] of Map.groupBy(planBucket(wanted, state), (change) => change.setting)) {
    const impossible = changes.find((change) => change.impossible !== undefined)
    if (impossible) outcomes.push({ ...impossible, done: false, why: impossible.impossible ?? '' })
    else if (setting === 'lifecycle') outcomes.push(...(await applyLifecycle(bucket, changes)))
    else if (setting === 'policy') outcomes.push(...(await applyPolicy(bucket, changes)))
    else {
      const refused = await writeSetting(bucket, setting)
      if (refused && setting === 'bucket')
        throw new Error(`${wanted.place.bucket} could not be created: ${refused.refused}`)
      outcomes.push(...changes.map((change) => outcomeOf(change, refused)))
    }
  }
  return outcomes
}

/** A bucket that is being set up: how it should be, and how it was; `null` if it did not exist. */
interface Bucket {
  settings: BucketSettingsClient
  wanted: WantedBucket
  state: BucketSettings | null
}

function writeSetting(
  { settings, wanted: { place, objectLock, cors }, state }: Bucket,
  setting: Exclude<Setting, 'lifecycle' | 'policy'>,
): Promise<Refused | null> {
  const { bucket } = place
  if (setting === 'bucket') return settings.create(bucket, { objectLock: objectLock !== null })
  if (setting === 'versioning') return settings.putVersioning(bucket)
  if (setting === 'object lock') {
    const { mode, days } = objectLock?.retention ?? { mode: 'GOVERNANCE', days: 1 }
    return settings.putRetention(bucket, mode, days)
  }
  const ours = cors ?? []
  const others = (state?.cors ?? []).filter(({ ID }) => !ours.some((rule) => rule.ID === ID))
  return settings.putCors(bucket, [...others, ...ours])
}

/**
 * Sets all rules, then without those that the store does not have: MinIO refuses the whole configuration for a rule that
 * aborts uploads.
 */
async function applyLifecycle(bucket: Bucket, changes: Change[]): Promise<Outcome[]> {
  const { settings, wanted } = bucket
  const { place, lifecycle } = wanted
  const others = otherRules(bucket)
  // A configuration has at least one rule.
  const put = async (rules: S3LifecycleRule[]) =>
    others.length + rules.length === 0 ? null : settings.putLifecycle(place.bucket, [...others, ...rules])
  const harmful = (await countsOldVersions(bucket)) ? [] : lifecycle.filter(hasCount)
  const safe = lifecycle.filter((rule) => !harmful.includes(rule))
  const refused = await put(safe)
  const without = refused ? safe.filter((rule) => !rule.AbortIncompleteMultipartUpload) : safe
  const refusedAgain = refused && (await put(without))
  return changes.map((change) => {
    const isOf = (rules: S3LifecycleRule[]) => rules.some((rule) => describeRule(rule) === change.shouldBe)
    if (isOf(harmful)) return { ...change, done: false, why: countsNothing, harmless: true }
    if (refused === null || (refusedAgain === null && isOf(without))) return outcomeOf(change, null)
    if (refusedAgain !== null) return outcomeOf(change, refusedAgain)
    const why = `the store does not abort unfinished uploads (${refused.refused}): its own setting has to, and the hourly sweep of the service`
    return { ...change, done: false, why, harmless: true }
  })
}

function otherRules({ wanted: { lifecycle }, state }: Bucket): S3LifecycleRule[] {
  return (state?.lifecycle ?? []).filter(({ ID }) => !lifecycle.some((rule) => rule.ID === ID))
}

function hasCount({ NoncurrentVersionExpiration }: S3LifecycleRule): boolean {
  return NoncurrentVersionExpiration?.NewerNoncurrentVersions !== undefined
}

const countsNothing =
  'the store does not count old versions: those of records stay as long as those of deleted documents'

/**
 * Tells whether the store keeps the number of a rule that spares the newest old versions. One that left it out would
 * remove every deleted document after a day, so it is asked with a rule that is disabled.
 */
async function countsOldVersions(bucket: Bucket): Promise<boolean> {
  const { settings, wanted } = bucket
  const rules = wanted.lifecycle.filter(hasCount).map((rule) => ({ ...rule, Status: 'Disabled' as const }))
  if (rules.length === 0) return true
  const before = bucket.state?.lifecycle ?? []
  const kept = before.filter(({ ID }) => !rules.some((rule) => rule.ID === ID))
  if (await settings.putLifecycle(wanted.place.bucket, [...kept, ...rules])) return false
  const found = (await settings.read(wanted.place.bucket))?.lifecycle ?? []
  return rules.every((rule) => found.some((present) => present.ID === rule.ID && hasCount(present)))
}

/**
 * Sets the policy after a trial that locks no one out and shows whether the key in use is among the provisioners as the
 * store sees it: no one could take a wrong policy back.
 */
async function applyPolicy({ settings, wanted, state }: Bucket, changes: Change[]): Promise<Outcome[]> {
  const { place, policy, principals } = wanted
  const { bucket } = place
  const present = state?.policy as Policy | null | undefined
  const trial = trialStatement(place, principals?.provisioners ?? [])
  const Statement = [...(present?.Statement ?? []), trial]
  const refusedTrial = await settings.putPolicy(bucket, { Version: '2012-10-17', Statement })
  if (refusedTrial === null && !(await settings.mayReadCors(bucket))) {
    await (present ? settings.putPolicy(bucket, present) : settings.removePolicy(bucket))
    const why =
      'PROVISION_PRINCIPALS does not name the key in use, as the store sees it: the policy would lock it out. ' +
      'It was tried without harm, and nothing was changed'
    return changes.map((change) => ({ ...change, done: false, why }))
  }
  const refused = refusedTrial ?? (await settings.putPolicy(bucket, policy))
  return changes.map((change) => {
    const outcome = outcomeOf(change, refused)
    if (refused === null) return outcome
    return {
      ...outcome,
      why: `${outcome.why}: give the service's user the policy of \`provision user-policy\``,
    }
  })
}

function outcomeOf(change: Change, refused: Refused | null): Outcome {
  if (refused === null) return { ...change, done: true }
  const why = `the store refuses it (${refused.refused})`
  return { ...change, done: false, why }
}
