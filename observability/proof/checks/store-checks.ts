import { broken, type Check, holds, Missing, type Observation } from '../../../service/cli/checks/check.ts'
import { type ObjectStore, ObjectStoreError } from '../../../service/object-store/object-store.ts'
import type { RunningServer, ServerName } from '../deployment.ts'
import { keyRangesOf, launch, type OwnScene, type Scene } from '../scene.ts'
import { type Canary, canaryChange, canaryFolder, putCanary } from '../store/canary.ts'
import { changedOutside, contain, countsText } from '../store/containment.ts'
import { type Listing, listingText, listObjects, newKeys } from '../store/objects.ts'
import { watchOldVersions } from '../store/old-versions.ts'
import { tryStore } from '../store/preflight.ts'
import { notOutside, proofCheck } from './proof-check.ts'

/** What was in the bucket before any server of the proof has written. */
export interface BucketBefore {
  before: Listing
}

/**
 * Returns the check that the bucket is there and answers, that nothing lies where the proof will write, and that its
 * basic calls work.
 *
 * @param objects what the server calls its objects: chunks, blocks.
 */
export function preflightCheck(server: ServerName, objects: string) {
  return proofCheck({
    id: `${server}.preflight`,
    sentence: 'The store puts, gets, lists, joins and deletes objects below the prefix, and is left clean',
    notOutside: notOutside.writes,
    failures: `Keys without the right to one of these calls, a store that refuses multipart uploads, ${objects} from before below the prefix`,
    async run(scene: OwnScene): Promise<Observation<BucketBefore & { canary: Canary }>> {
      const { objects, bucket, prefix, marker } = scene
      await reachBucket(objects, bucket)
      await refuseUsedPrefixes(scene)
      const folder = canaryFolder(marker, server)
      const place = { ...scene.deployment.store, bucket }
      const scratch = `${prefix}validate-versions-${marker.id}/scratch`
      const versions = await watchOldVersions(place, [...scene.ownPrefixes, folder], scratch)
      const { good, bad, left } = await tryStore(objects, prefix, marker.id)
      const canary = await putCanary(objects, folder)
      scene.atEnd(async () => [...(await removeOwn(scene, canary)), ...(await versions.remove())])
      const before = await listBefore(scene)
      if (bad.length > 0) return broken(bad.join('; '), 'each of these calls has to work')
      if (left.length > 0) return broken(`left behind: ${left.join(', ')}`, 'nothing may stay')
      return holds(`${good.join(', ')} in ${bucket}/${prefix}`, { before, canary })
    },
  })
}

type Preflight = ReturnType<typeof preflightCheck>

/** Returns the check that the server which takes the marker starts. @param failures and `after` as in every check. */
export function startCheck(
  server: ServerName,
  title: string,
  { preflight, ...rest }: { preflight: Preflight; after?: string[]; failures: string },
) {
  return proofCheck({
    ...rest,
    id: `${server}.start`,
    sentence: `${title} becomes ready on an empty disk`,
    needs: { preflight },
    notOutside: 'it runs already',
    async run(scene: OwnScene): Promise<Observation<RunningServer>> {
      const started = performance.now()
      const writer = await launch(scene, 'main')
      return holds(`ready after ${((performance.now() - started) / 1000).toFixed(1)} s`, writer)
    },
  })
}

/** Lists the bucket, and keeps that as evidence. @throws {ObjectStoreError} */
export async function listBefore({ objects, evidence, server }: Scene): Promise<Listing> {
  const before = await listObjects(objects)
  await evidence.write(`${server}/listing-before.txt`, listingText(before))
  return before
}

/** Asks the bucket anything. @throws {Missing} if it is not there, or the store does not answer. */
export async function reachBucket(objects: ObjectStore, bucket: string): Promise<void> {
  try {
    await objects.clock()
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error
    throw new Missing(`the bucket ${bucket}: ${error.message}`)
  }
}

/** A second Loki or Tempo on the prefix of a running one would compact and remove its objects. */
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

const refusals = ['wrong-secret', 'wrong-bucket', 'wrong-prefix']
/** Checks of each server that are over before its bucket is looked through: what they write counts, too. */
const checksBefore = ['search', 'origin', ...refusals, 'outage', 'retention', 'delete']

/**
 * Returns the check that nothing was written outside the prefix.
 *
 * @param readBack leaves a server running, which the check ends.
 * @param remark is added to what was seen; default: nothing.
 */
export function containmentCheck<Landed>(
  server: ServerName,
  needs: { landing: Check<never, Landed>; preflight: Preflight },
  {
    readBack,
    failures,
    remark = () => '',
  }: {
    readBack: Check<never, { reader: RunningServer }>
    failures: string
    remark?: (landed: Landed) => string
  },
) {
  return proofCheck({
    id: `${server}.containment`,
    sentence: 'Every new object of the whole bucket lies below the prefix and has a known form of key',
    needs,
    uses: { readBack },
    after: [...checksBefore.map((id) => `${server}.${id}`), 'join.log-to-trace', 'join.trace-to-log'],
    failures,
    async run(scene: OwnScene, { landing, preflight: { before }, readBack }) {
      // What a server writes when it ends counts, too.
      await readBack?.reader.stop()
      return checkContainment(scene, before, remark(landing))
    },
  })
}

/** Checks that every key that is new in the whole bucket lies where it may and looks as it should. */
export async function checkContainment(scene: Scene, before: Listing, remark = ''): Promise<Observation> {
  const after = await listObjects(scene.objects)
  await scene.evidence.write(`${scene.server}/listing-after.txt`, listingText(after))
  const { counts, foreign, outside, unknown } = contain(newKeys(before, after), keyRangesOf(scene))
  const others = foreign > 0 ? `; ${foreign} of others in their own places` : ''
  const seen = `new below ${scene.prefix}: ${countsText(counts)}${others}${remark}`
  if (outside.length > 0)
    return broken(`${seen}; outside: ${shown(outside)}`, 'nothing may lie outside the prefix')
  if (unknown.length > 0) return broken(`${seen}; unknown: ${shown(unknown)}`, 'no known form of key')
  // An empty set is contained everywhere.
  return Object.keys(counts).length === 0
    ? broken(seen, 'nothing was written, so nothing is shown')
    : holds(seen)
}

/** Returns the check that all objects outside the prefixes are as they were, above all the canary. */
export function untouchedCheck(server: ServerName, needs: { landing: Check<never>; preflight: Preflight }) {
  return proofCheck({
    id: `${server}.untouched`,
    sentence: 'Everything outside the prefix is as it was, including a canary object',
    needs,
    after: [`${server}.containment`],
    notOutside: 'no canary is put into a store that is in use',
    failures: 'Anything that writes or deletes outside the prefix, such as a retention without one',
    run: (scene: OwnScene, { preflight }) => checkUntouched(scene, preflight),
  })
}

async function checkUntouched(
  scene: Scene,
  { before, canary }: BucketBefore & { canary: Canary },
): Promise<Observation> {
  const ranges = keyRangesOf(scene)
  const changed = changedOutside(before, await listObjects(scene.objects), ranges)
  if (changed.length > 0)
    return broken(`changed: ${shown(changed)}`, 'the proof may not change what lies outside')
  if (canary.etag === null) return holds('these credentials may not write outside the prefix at all')
  const change = await canaryChange(scene.objects, canary)
  const others = [...before.keys()].filter(
    (key) => key !== canary.key && !ranges.some(({ prefix }) => key.startsWith(prefix)),
  )
  return change === null
    ? holds(`${canary.key} and ${others.length} other objects are as they were`)
    : broken(change, 'nothing should touch it')
}

/**
 * Removes what the servers of the proof wrote below its prefixes, and the canary. If the store has become
 * unreachable, the objects stay: that is no reason to lose the results.
 *
 * @returns keys that could not be removed, and prefixes (`loki/…`) that could not be listed.
 */
export async function removeOwn({ objects, ownPrefixes }: Scene, canary: Canary): Promise<string[]> {
  const left: string[] = []
  const keys = canary.etag === null ? [] : [canary.key]
  for (const prefix of ownPrefixes) {
    const listing = await listObjects(objects, prefix).catch(() => null)
    if (listing === null) left.push(`${prefix}…`)
    else keys.push(...listing.keys())
  }
  for (const key of keys) await objects.delete(key).catch(() => left.push(key))
  return left
}

const shownKeysMax = 5

function shown(keys: readonly string[]): string {
  const more = keys.length > shownKeysMax ? ` and ${keys.length - shownKeysMax} more` : ''
  return `${keys.slice(0, shownKeysMax).join(', ')}${more}`
}
