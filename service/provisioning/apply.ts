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

/** Sets all rules, then without those that abort uploads: MinIO refuses the whole configuration for them. */
async function applyLifecycle({ settings, wanted, state }: Bucket, changes: Change[]): Promise<Outcome[]> {
  const { place, lifecycle } = wanted
  const others = (state?.lifecycle ?? []).filter(({ ID }) => !lifecycle.some((rule) => rule.ID === ID))
  // A configuration has at least one rule.
  const put = async (rules: S3LifecycleRule[]) =>
    others.length + rules.length === 0 ? null : settings.putLifecycle(place.bucket, [...others, ...rules])
  const refused = await put(lifecycle)
  if (refused === null) return changes.map((change) => outcomeOf(change, null))
  const without = lifecycle.filter((rule) => rule.AbortIncompleteMultipartUpload === undefined)
  const refusedAgain = await put(without)
  return changes.map((change) => {
    const taken = refusedAgain === null && without.some((rule) => describeRule(rule) === change.shouldBe)
    if (taken) return outcomeOf(change, null)
    if (refusedAgain !== null) return outcomeOf(change, refusedAgain)
    const why = `the store does not abort unfinished uploads (${refused.refused}): its own setting has to, and the hourly sweep of the service`
    return { ...change, done: false, why, harmless: true }
  })
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
