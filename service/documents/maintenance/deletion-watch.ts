import { limits } from '../../limits.ts'
import { eachObject } from '../../object-store/each-object.ts'
import {
  type CallOptions,
  type ListedObject,
  type ObjectStore,
  ObjectStoreError,
} from '../../object-store/object-store.ts'
import type { ListedVersion } from '../../wire/answers.ts'
import type { Digest, VersionRef } from '../../wire/names.ts'
import { DocumentError } from '../document-error.ts'
import { deletionKey, deletionsPrefix, parseDeletionKey, versionKey } from '../document-key.ts'
import { type DocumentRecord, deletionOf, markOf, tagsPointingTo } from '../document-record.ts'
import { createRecords, type Records } from '../record-store.ts'
import { createVersionRemoval, noteForSweeper, type VersionRemoval } from '../version-removal.ts'
import { changeByFacts } from './change-by-facts.ts'
import { repaired } from './record-repair.ts'
import { versionsOf } from './versions-of.ts'

/** What was found at the deletions of the last hour, and done about it. */
export interface WatchedDeletions {
  /** Deletions that were given up, and that are finished now. */
  deletionsFinished: number
  /** Versions whose bytes arrived after their deletion, and that are removed now. */
  lateVersionsRemoved: number
  /** Records that counted a version that is gone, and that are repaired now. */
  recordsRepaired: number
  /** Deletions that are over and no longer looked after. */
  deletionsForgotten: number
}

/** What people have to know of. */
export interface WatchReport {
  /** Receives each version that is gone although its record counted it. */
  onLost?: ((ref: VersionRef, tags: readonly string[]) => void) | undefined
  /** Receives each deletion that could not be looked at: that of a damaged record, or of one that many clients change. */
  onFailure?: ((ref: VersionRef, cause: unknown) => void) | undefined
}

export interface WatchOptions extends WatchReport, CallOptions {
  /** Waits; default: by the system's timers. */
  sleep?: ((milliseconds: number) => Promise<void>) | undefined
}

interface DeletionWatch extends WatchReport {
  store: ObjectStore
  records: Records
  removal: VersionRemoval
}

/** Named in records as the one who moved what was moved. */
const subject = 'sweeper'

/**
 * Looks after every deletion that has begun in the last `limits.deletionWatchSeconds`: finishes those that were given
 * up, and repairs what calls have done that reached the store late. Any number of replicas can do so at once.
 *
 * @throws {ObjectStoreError} if the store fails.
 */
export async function watchDeletions(
  store: ObjectStore,
  { signal, sleep, ...report }: WatchOptions = {},
): Promise<WatchedDeletions> {
  const records = createRecords(store, { sleep })
  const watch = { store, records, removal: createVersionRemoval({ store, records, sleep }), ...report }
  const done = { deletionsFinished: 0, lateVersionsRemoved: 0, recordsRepaired: 0, deletionsForgotten: 0 }
  const now = await store.clock({ signal })
  for await (const object of eachObject(store, deletionsPrefix, { signal })) {
    const ref = parseDeletionKey(object.key)
    const outcome = ref && (await watchOne(watch, ref, { object, now, signal }))
    if (outcome) done[outcome] += 1
  }
  return done
}

interface Looking {
  object: ListedObject
  now: Date
  signal: AbortSignal | undefined
}

async function watchOne(
  watch: DeletionWatch,
  ref: VersionRef,
  looking: Looking,
): Promise<keyof WatchedDeletions | null> {
  try {
    return await look(watch, ref, looking)
  } catch (error) {
    // One document must not keep the others waiting; an outage of the store ends the sweep.
    if (error instanceof DocumentError && !(error.cause instanceof ObjectStoreError)) {
      watch.onFailure?.(ref, error)
      return null
    }
    throw error
  }
}

async function look(
  watch: DeletionWatch,
  ref: VersionRef,
  { object, now, signal }: Looking,
): Promise<keyof WatchedDeletions | null> {
  const { store, records, removal } = watch
  const { digest } = ref
  const record = await records.read(ref, signal)
  if (markOf(record, digest)) return (await removal.finish(ref)) ? 'deletionsFinished' : null
  const isThere = (await store.head(versionKey(ref), { signal })) !== null
  if (isThere && deletionOf(record, digest)) {
    await removal.remove(ref, { by: subject, onlyIfDeleted: true, signal })
    return 'lateVersionsRemoved'
  }
  if (!isThere && counts(record, digest) && (await repairLost(watch, ref, signal))) return 'recordsRepaired'
  const isSettled = object.lastModified.getTime() < now.getTime() - limits.deletionWatchSeconds * 1000
  return isSettled && (await forget(watch, ref, signal)) ? 'deletionsForgotten' : null
}

function counts({ tags, order }: DocumentRecord, digest: Digest): boolean {
  return order.includes(digest) || Object.values(tags).some((entry) => entry.digest === digest)
}

/** @returns false if nothing is lost after all. */
async function repairLost(
  { store, records, onLost }: DeletionWatch,
  ref: VersionRef,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const lost = await changeByFacts<ListedVersion[], { tags: string[] } | null>(records, ref, {
    signal,
    look: () => versionsOf(store, ref, { signal }),
    change(record, versions) {
      const isThere = versions.some(({ digest }) => digest === ref.digest)
      // A deletion that has begun since the record was read explains why it is gone.
      if (isThere || !counts(record, ref.digest) || markOf(record, ref.digest)) return { result: null }
      return { to: repaired(record, versions, subject), result: { tags: tagsPointingTo(record, ref.digest) } }
    },
  })
  if (lost) onLost?.(ref, lost.tags)
  return lost !== null
}

/** A deletion that begins in between puts its marker before its mark: whichever comes second leaves a marker behind. */
async function forget(
  { store, records }: DeletionWatch,
  ref: VersionRef,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  await store.delete(deletionKey(ref), { signal })
  if (!markOf(await records.read(ref, signal), ref.digest)) return true
  await noteForSweeper(store, ref, signal)
  return false
}
