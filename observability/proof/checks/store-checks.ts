import { broken, holds, Missing, type Observation } from '../../../service/cli/checks/check.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { ObjectStoreError } from '../../../service/object-store/object-store.ts'
import { found, type Scene, territoriesOf } from '../scene.ts'
import { listingText, listObjects, newKeys } from '../store/bucket-listing.ts'
import { canaryChange, canaryFolder, putCanary } from '../store/canary.ts'
import { changedOutside, contain, countsText } from '../store/containment.ts'
import { tryStore } from '../store/preflight.ts'

/** The bucket is there and answers, nothing lies where the proof will write, and its basic calls work. */
export async function checkPreflight(scene: Scene): Promise<Observation> {
  const { objects, bucket, prefix, marker } = scene
  await reachBucket(objects, bucket)
  await refuseUsedPrefixes(scene)
  const { good, bad, left } = await tryStore(objects, prefix, marker.id)
  await rememberBucket(scene)
  const seen = `${good.join(', ')} in ${bucket}/${prefix}`
  if (bad.length > 0) return broken(bad.join('; '), 'each of them has to work')
  return left.length > 0 ? broken(`left behind: ${left.join(', ')}`, 'nothing may stay') : holds(seen)
}

/** Puts the canary, and lists what is there before any server of the proof's has written. */
async function rememberBucket(scene: Scene): Promise<void> {
  const { objects, evidence, server, marker } = scene
  scene.canary = await putCanary(objects, canaryFolder(marker, server))
  scene.before = await listObjects(objects)
  await evidence.write(`${server}/listing-before.txt`, listingText(scene.before))
}

/** @throws {Missing} if the bucket is not there, or the store does not answer. */
export async function reachBucket(objects: ObjectStore, bucket: string): Promise<void> {
  try {
    await objects.clock()
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error
    throw new Missing(`the bucket ${bucket}: ${error.message}`)
  }
}

/** A second Loki or Tempo where one works already would compact and remove its objects. */
async function refuseUsedPrefixes(scene: Scene): Promise<void> {
  for (const prefix of scene.ownPrefixes) {
    const { objects } = await scene.objects.list({ prefix, limit: 1 })
    if (objects.length > 0) {
      throw new Missing(
        `an empty ${scene.bucket}/${prefix}: what lies there may belong to a running ${scene.title}. ` +
          'Choose another prefix, or prove the running one with --against',
      )
    }
  }
}

/** Every key that is new in the whole bucket lies where it may and looks as it should. */
export async function checkContainment(scene: Scene, remark = ''): Promise<Observation> {
  const before = found(scene.before)
  const after = await listObjects(scene.objects)
  await scene.evidence.write(`${scene.server}/listing-after.txt`, listingText(after))
  const { counts, foreign, outside, unknown } = contain(newKeys(before, after), territoriesOf(scene))
  const others = foreign > 0 ? `; ${foreign} of others in their own places` : ''
  const seen = `new below ${scene.prefix}: ${countsText(counts)}${others}${remark}`
  if (outside.length > 0)
    return broken(`${seen}; outside: ${shown(outside)}`, 'nothing may lie outside of the prefix')
  if (unknown.length > 0) return broken(`${seen}; unknown: ${shown(unknown)}`, 'no known form of key')
  // An empty set is contained everywhere.
  return Object.keys(counts).length === 0
    ? broken(seen, 'nothing was written, so nothing is shown')
    : holds(seen)
}

/** What lies outside is as it was, above all the object that was put there to be stepped on. */
export async function checkUntouched(scene: Scene): Promise<Observation> {
  const before = found(scene.before)
  const canary = found(scene.canary)
  const changed = changedOutside(before, await listObjects(scene.objects), territoriesOf(scene))
  if (changed.length > 0)
    return broken(`changed: ${shown(changed)}`, 'what lies outside is not the proof’s to change')
  if (canary.etag === null) return holds('these credentials may not write outside of the prefix at all')
  const change = await canaryChange(scene.objects, canary)
  const territories = territoriesOf(scene)
  const others = [...before.keys()].filter(
    (key) => key !== canary.key && !territories.some(({ prefix }) => key.startsWith(prefix)),
  )
  return change === null
    ? holds(`${canary.key} and ${others.length} other objects are as they were`)
    : broken(change, 'nobody has any business there')
}

/**
 * Removes what the proof's servers wrote below its prefixes, and the canary. A store that went away meanwhile is no
 * reason to lose what was found out: then they are left.
 *
 * @returns keys that would not go, and prefixes (`loki/…`) below which nobody could look.
 */
export async function removeOwn(scene: Scene): Promise<string[]> {
  const left: string[] = []
  const keys = scene.canary === undefined ? [] : [scene.canary.key]
  for (const prefix of scene.before === undefined ? [] : scene.ownPrefixes) {
    const listing = await listObjects(scene.objects, prefix).catch(() => null)
    if (listing === null) left.push(`${prefix}…`)
    else keys.push(...listing.keys())
  }
  for (const key of keys) await scene.objects.delete(key).catch(() => left.push(key))
  return left
}

const shownKeysMax = 5

function shown(keys: readonly string[]): string {
  const more = keys.length > shownKeysMax ? ` and ${keys.length - shownKeysMax} more` : ''
  return `${keys.slice(0, shownKeysMax).join(', ')}${more}`
}
