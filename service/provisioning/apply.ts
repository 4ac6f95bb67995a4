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
import { toS3Cors, toS3Lifecycle } from './rule-forms.ts'
import { describeRule, type LifecycleRule, type WantedBucket, wantedBucket } from './wanted-bucket.ts'

/** How one change went. */
export interface Outcome extends Change {
  done: boolean
  /** Why not, and what follows. */
  why?: string
  /** The store is known to take care of it by itself, or nobody asked for it: no reason to fail. */
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
 * Makes one bucket what it should be. Does only what {@link planBucket} finds, so that it can be repeated.
 *
 * @throws {ObjectStoreError} where the store fails or refuses our right to do this.
 */
export async function applyBucket(settings: BucketSettingsClient, wanted: WantedBucket): Promise<Outcome[]> {
  const state = await settings.read(wanted.place.bucket)
  const changes = planBucket(wanted, state)
  const outcomes: Outcome[] = []
  for (const setting of new Set(changes.map((change) => change.setting))) {
    const of = changes.filter((change) => change.setting === setting)
    const impossible = of.find((change) => change.impossible !== undefined)
    if (impossible) outcomes.push({ ...impossible, done: false, why: impossible.impossible ?? '' })
    else outcomes.push(...(await applySetting(settings, wanted, state, setting, of)))
  }
  return outcomes
}

async function applySetting(
  settings: BucketSettingsClient,
  wanted: WantedBucket,
  state: BucketSettings | null,
  setting: Setting,
  changes: Change[],
): Promise<Outcome[]> {
  if (setting === 'lifecycle') return applyLifecycle(settings, wanted, state, changes)
  if (setting === 'policy') return applyPolicy(settings, wanted, state, changes)
  const { bucket } = wanted.place
  const refused = await writeSetting(settings, wanted, state, setting)
  if (refused && setting === 'bucket') throw new Error(`${bucket} could not be created: ${refused.refused}`)
  return changes.map((change) => outcomeOf(change, refused))
}

function writeSetting(
  settings: BucketSettingsClient,
  { place: { bucket }, objectLock, cors }: WantedBucket,
  state: BucketSettings | null,
  setting: Exclude<Setting, 'lifecycle' | 'policy'>,
): Promise<Refused | null> {
  if (setting === 'bucket') return settings.create(bucket, { objectLock: objectLock !== null })
  if (setting === 'versioning') return settings.putVersioning(bucket)
  if (setting === 'object lock') {
    const { mode, days } = objectLock?.retention ?? { mode: 'GOVERNANCE', days: 1 }
    return settings.putRetention(bucket, mode, days)
  }
  const ours = (cors ?? []).map(toS3Cors)
  const others = (state?.cors ?? []).filter(({ ID }) => !ours.some((rule) => rule.ID === ID))
  return settings.putCors(bucket, [...others, ...ours])
}

/** All rules, then without those that abort uploads: MinIO refuses the whole configuration for them. */
async function applyLifecycle(
  settings: BucketSettingsClient,
  { place: { bucket }, lifecycle }: WantedBucket,
  state: BucketSettings | null,
  changes: Change[],
): Promise<Outcome[]> {
  const others = (state?.lifecycle ?? []).filter(({ ID }) => !lifecycle.some(({ id }) => id === ID))
  const put = (rules: LifecycleRule[]) => putRules(settings, bucket, [...others, ...rules.map(toS3Lifecycle)])
  const refused = await put(lifecycle)
  if (refused === null) return changes.map((change) => outcomeOf(change, null))
  const without = lifecycle.filter(({ abortUploadDays }) => abortUploadDays === undefined)
  const refusedAgain = await put(without)
  return changes.map((change) => {
    const taken = refusedAgain === null && without.some((rule) => describeRule(rule) === change.shouldBe)
    if (taken) return outcomeOf(change, null)
    if (refusedAgain !== null) return outcomeOf(change, refusedAgain)
    const why = `the store will not abort unfinished uploads (${refused.refused}): its own setting has to, and the service's hourly sweep`
    return { ...change, done: false, why, harmless: true }
  })
}

async function putRules(
  settings: BucketSettingsClient,
  bucket: string,
  rules: S3LifecycleRule[],
): Promise<Refused | null> {
  // A configuration has at least one rule.
  return rules.length === 0 ? null : settings.putLifecycle(bucket, rules)
}

/**
 * First a trial that locks nobody out but tells whether our own key is among the provisioners as the store sees
 * it: nobody could take a wrong policy back.
 */
async function applyPolicy(
  settings: BucketSettingsClient,
  { place, policy, principals }: WantedBucket,
  state: BucketSettings | null,
  changes: Change[],
): Promise<Outcome[]> {
  const { bucket } = place
  const present = state?.policy as Policy | null | undefined
  const trial = trialStatement(place, principals?.provisioners ?? [])
  const Statement = [...(present?.Statement ?? []), trial]
  const refusedTrial = await settings.putPolicy(bucket, { Version: '2012-10-17', Statement })
  if (refusedTrial === null && !(await settings.mayReadCors(bucket))) {
    await (present ? settings.putPolicy(bucket, present) : settings.removePolicy(bucket))
    const why =
      'PROVISION_PRINCIPALS does not name the key that we use, as the store sees it: the policy would lock us out. ' +
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
  const why = `the store will not take it (${refused.refused})`
  return { ...change, done: false, why }
}
