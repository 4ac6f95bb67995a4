import { limits } from '../limits.ts'
import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import { type Digest, latestTag, type VersionRef } from '../wire/names.ts'
import { DocumentError, versionNotFound } from './document-error.ts'
import { deletionKey, versionKey } from './document-key.ts'
import {
  type DeletionMark,
  type DocumentRecord,
  deletionOf,
  markOf,
  newChangeId,
  tagsPointingTo,
  withDeletion,
  withMark,
  withoutMark,
} from './document-record.ts'
import type { Records } from './record-store.ts'
import { createSuccessors, type Successor } from './successor.ts'

export interface RemovalOptions {
  /** Subject that asks for the removal. */
  by: string
  /** Also refuses a version that only `latest` points to; default: `latest` moves on to another version. */
  keepLatest?: boolean
  /**
   * Removes the version only while the record lists it as deleted: bytes that arrived late. Default: in any case.
   */
  onlyIfDeleted?: boolean
  signal?: AbortSignal | undefined
}

/** Deletes versions (ARCHITECTURE.md, "How a delete runs"). */
export interface VersionRemoval {
  /** Removes a version permanently; see `deleteVersion` of {@link Documents}, whose errors it has. */
  remove(ref: VersionRef, options: RemovalOptions): Promise<void>
  /**
   * Waits for the end of a deletion of this version that another request has begun, for `limits.deletionWaitSecondsMax`;
   * ends it itself if the other one was given up long enough ago.
   *
   * @throws {DocumentError} `busy` if it is still under way then.
   */
  awaitEnd(ref: VersionRef): Promise<void>
  /**
   * Ends a deletion that was given up, once no call of it can act any more: marks, deletes and notes it again.
   *
   * @returns false if there is nothing to end yet.
   */
  finish(ref: VersionRef): Promise<boolean>
}

export interface VersionRemovalParts {
  store: ObjectStore
  records: Records
  /** Waits; default: by the system's timers. */
  sleep?: ((milliseconds: number) => Promise<void>) | undefined
}

/** What a removal is decided on, as it was seen in the store after `since`. */
interface Seen {
  since: number
  successor: Successor
  mark: DeletionMark
  /** The mark that this one replaces, of a deletion that was given up. */
  replaces: DeletionMark | undefined
}

const pollMilliseconds = 100

/** Returns the removal of versions from `store`. */
export function createVersionRemoval({
  store,
  records,
  sleep = Bun.sleep,
}: VersionRemovalParts): VersionRemoval {
  const successorOf = createSuccessors(store)

  /**
   * Writes the mark, unless the record has changed in a way that the decision does not cover.
   *
   * @returns `done`; `kept` if an upload was acknowledged since that keeps the version; `outdated`: look again.
   */
  function writeMark(
    ref: VersionRef,
    options: RemovalOptions,
    seen: Seen,
  ): Promise<'done' | 'kept' | 'outdated'> {
    const { digest } = ref
    const { mark, successor } = seen
    return records.change(ref, ({ record, since }) => {
      if (options.onlyIfDeleted && !deletionOf(record, digest)) return { result: 'kept' }
      refuseTagged(record, digest, options)
      const outdated = since > seen.since || markOf(record, digest)?.id !== seen.replaces?.id
      if (outdated || !successor.holds(record)) return { result: 'outdated' }
      const latest = successor.digest
      return { to: withMark(record, digest, { mark, latest }), result: 'done', deletion: true }
    })
  }

  /** Sends the DELETE of a mark and notes how it ended. From here on no client's abort stops it. */
  async function deleteMarked(
    ref: VersionRef,
    { mark, replaces }: Pick<Seen, 'mark' | 'replaces'>,
    signedAt: Date,
  ): Promise<'done' | 'refused'> {
    const expiresInSeconds = limits.deletionAcceptedSeconds
    const answer = await store.deleteBefore(versionKey(ref), { signedAt, expiresInSeconds })
    // Refused, and gone all the same: another attempt was faster, and this one cannot act any more.
    const gone = answer === 'deleted' || (await store.head(versionKey(ref))) === null
    const noted = { digest: ref.digest, at: signedAt.toISOString(), by: mark.by, id: mark.id }
    await records.change(ref, ({ record }) => {
      if (markOf(record, ref.digest)?.id !== mark.id) return { result: undefined }
      // The attempt that was given up may have acted: what is there then arrived late, and never counted.
      const to = gone || replaces ? withDeletion(record, noted) : withoutMark(record, ref.digest)
      return { to, result: undefined, deletion: true }
    })
    return gone ? 'done' : 'refused'
  }

  /**
   * @returns `done`; `refused` by the store; `expired` before the store took it; `deleting` if another deletion of the version is under way; `outdated` if
   *   something has changed meanwhile: try again.
   */
  async function tryOnce(
    ref: VersionRef,
    options: RemovalOptions,
  ): Promise<'done' | 'refused' | 'expired' | 'deleting' | 'outdated'> {
    const { digest } = ref
    const { signal, onlyIfDeleted = false } = options
    const record = await records.read(ref, signal)
    if (onlyIfDeleted && !deletionOf(record, digest)) return 'done'
    refuseTagged(record, digest, options)
    const replaces = markOf(record, digest)
    const since = records.moment()
    const began = performance.now()
    const [info, now, successor] = await Promise.all([
      store.head(versionKey(ref), { signal }),
      store.clock({ signal }),
      successorOf(ref, record, signal),
    ])
    if (replaces && !isOver(replaces, now)) return 'deleting'
    if (!info && !replaces) {
      if (onlyIfDeleted) return 'done'
      throw versionNotFound()
    }
    if (info && isLocked(info)) throw versionLocked(info.locked)
    const until = new Date(now.getTime() + limits.deletionAcceptedSeconds * 1000).toISOString()
    const mark = { id: newChangeId(), until, by: options.by }
    await noteForSweeper(store, ref)
    signal?.throwIfAborted()
    const marked = await writeMark(ref, options, { since, successor, mark, replaces })
    if (marked !== 'done') return marked === 'kept' ? 'done' : marked
    const outcome = await deleteMarked(ref, { mark, replaces }, now)
    const isExpired = performance.now() - began >= limits.deletionAcceptedSeconds * 1000
    return outcome === 'refused' && isExpired ? 'expired' : outcome
  }

  async function awaitEnd(ref: VersionRef): Promise<void> {
    const polls = (limits.deletionWaitSecondsMax * 1000) / pollMilliseconds
    for (let poll = 0; poll < polls; poll += 1) {
      if (!markOf(await records.read(ref), ref.digest)) return
      await sleep(pollMilliseconds)
    }
    if (!(await finish(ref))) throw underWay()
  }

  async function finish(ref: VersionRef): Promise<boolean> {
    const [record, now] = await Promise.all([records.read(ref), store.clock()])
    const mark = markOf(record, ref.digest)
    if (!mark || !isOver(mark, now)) return false
    const outcome = await tryOnce(ref, { by: mark.by })
    return outcome === 'done' || outcome === 'refused' || outcome === 'expired'
  }

  return {
    awaitEnd,
    finish,

    async remove(ref, options) {
      for (let attempt = 0; attempt < limits.recordAttemptsMax; attempt += 1) {
        const outcome = await tryOnce(ref, options)
        if (outcome === 'done') return
        if (outcome === 'refused') throw deletionRefused()
        if (outcome === 'expired') throw deletionExpired()
        if (outcome === 'deleting') await awaitEnd(ref)
      }
      throw underWay()
    },
  }
}

/** Lets the sweeper find the mark of a version: there is no other index of marks. @throws {ObjectStoreError} */
export async function noteForSweeper(
  store: Pick<ObjectStore, 'put'>,
  ref: VersionRef,
  signal?: AbortSignal,
): Promise<void> {
  const options = { size: 0, contentType: 'application/octet-stream', signal }
  await store.put(deletionKey(ref), new Uint8Array(), options)
}

/** Returns whether no DELETE of a mark can act any more, by the store's clock. */
export function isOver({ until }: DeletionMark, now: Date): boolean {
  return now.getTime() >= Date.parse(until) + limits.deletionSettledSeconds * 1000
}

/**
 * Returns whether the store keeps an object (object lock). In a bucket with versions, a delete of a locked object
 * would succeed and only hide it. A deletion promises that the bytes are gone, so it is refused instead.
 */
export function isLocked({ locked }: ObjectInfo): boolean {
  return locked !== undefined && (locked === 'forever' || locked.getTime() > Date.now())
}

function refuseTagged(record: DocumentRecord, digest: Digest, { keepLatest = false }: RemovalOptions): void {
  const pointing = tagsPointingTo(record, digest)
  const others = keepLatest ? pointing : pointing.filter((tag) => tag !== latestTag)
  if (others.length > 0) throw versionTagged(others)
}

function versionLocked(locked: ObjectInfo['locked']): DocumentError {
  const until = locked instanceof Date ? locked.toISOString() : 'the legal hold is lifted'
  return new DocumentError('version_locked', `The object store keeps this version until ${until}.`)
}

function versionTagged(tags: string[]): DocumentError {
  return new DocumentError(
    'version_tagged',
    `The version is tagged ${tags.map((tag) => `"${tag}"`).join(', ')}. Move or remove these tags first.`,
    { tags },
  )
}

function deletionRefused(): DocumentError {
  return new DocumentError(
    'store_refused',
    'The object store refused to delete the version, so it is still there. Try again; if it stays so, tell the operator.',
  )
}

function deletionExpired(): DocumentError {
  return new DocumentError(
    'store_unavailable',
    'The object store was too slow to delete the version, so it is still there. Try again later.',
  )
}

function underWay(): DocumentError {
  return new DocumentError(
    'busy',
    'This version is being deleted, and the object store has not confirmed it yet. Try again later.',
    {},
    { retryAfterSeconds: limits.deletionAcceptedSeconds },
  )
}
