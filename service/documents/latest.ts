import { limits } from '../limits.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { type Digest, type DocumentRef, latestTag } from '../wire/names.ts'
import { DocumentError } from './document-error.ts'
import { latestKey } from './document-key.ts'
import type { FoundTag, StoredTag, TagRecord, TagStore } from './tag-store.ts'
import { newestVersion, versionExists } from './version-index.ts'

/** Who wants `latest` to point where, and since when. */
export interface LatestMove {
  digest: Digest
  by: string
  admittedAt: Date
}

/**
 * Keeps `latest` at the version whose upload was admitted last. Moves of one document are gathered: while
 * one is being written, those that arrive wait, and of these only the newest is written, since it would
 * overwrite the others anyway. Between replicas the store's compare-and-set decides.
 */
export interface Latest {
  /** @returns the tag as it stands after the move, which may be a newer one's. */
  move(ref: DocumentRef, move: LatestMove): Promise<StoredTag>
  /**
   * Where `latest` points to nothing, or to `without`: points it at the newest other version, or removes it if
   * there is none.
   */
  repair(ref: DocumentRef, by: string, without?: Digest): Promise<void>
}

interface Waiting {
  move: LatestMove
  resolve(tag: StoredTag): void
  reject(error: unknown): void
}

/**
 * @param canCompareAndSet false where the store is known not to decide between two writers, such as RGW 16.2 in a
 *   bucket that keeps versions, which refuses every If-Match: then the last writer wins.
 */
export function createLatest(
  store: ObjectStore,
  tags: TagStore,
  canCompareAndSet: () => boolean = () => true,
): Latest {
  const queues = new Map<string, Waiting[]>()
  const conditionFor = (current: FoundTag | null) => (canCompareAndSet() ? conditionOf(current) : undefined)

  /** Writes the batch's newest move, then whatever has gathered meanwhile. */
  async function work(ref: DocumentRef, key: string, queue: Waiting[]): Promise<void> {
    let known: StoredTag | undefined
    while (queue.length > 0) {
      const batch = queue.splice(0)
      const newest = batch.reduce((a, b) => (b.move.admittedAt >= a.move.admittedAt ? b : a))
      try {
        known = await compareAndSet(tags, ref, newest.move, known, conditionFor)
        for (const { resolve } of batch) resolve(known)
      } catch (error) {
        known = undefined
        for (const { reject } of batch) reject(error)
      }
    }
    queues.delete(key)
  }

  return {
    move(ref, move) {
      return new Promise((resolve, reject) => {
        const key = latestKey(ref)
        const queue = queues.get(key)
        if (queue) return void queue.push({ move, resolve, reject })
        const begun: Waiting[] = [{ move, resolve, reject }]
        queues.set(key, begun)
        void work(ref, key, begun)
      })
    },

    async repair(ref, by, without) {
      for (let attempt = 0; attempt < limits.tagMoveAttemptsMax; attempt += 1) {
        const current = await tags.find(ref, latestTag)
        const pointsTo = current?.record?.digest
        if (pointsTo && pointsTo !== without && (await versionExists(store, ref, pointsTo))) return
        const newest = await newestVersion(store, ref, without)
        if (newest) {
          const admittedAt = newest.storedAt
          const record = { digest: newest.digest, movedAt: new Date().toISOString(), movedBy: by, admittedAt }
          if (await tags.write(ref, latestTag, record, conditionFor(current))) return
        } else if (current) {
          // There is no conditional delete: what was uploaded since the listing may lose its tag, so look again.
          await tags.remove(ref, latestTag)
        } else return
      }
      throw contended()
    },
  }
}

async function compareAndSet(
  tags: TagStore,
  ref: DocumentRef,
  move: LatestMove,
  known: StoredTag | undefined,
  conditionFor: (current: FoundTag | null) => ReturnType<typeof conditionOf> | undefined,
): Promise<StoredTag> {
  let current: FoundTag | null = known ? found(known) : await tags.find(ref, latestTag)
  for (let attempt = 0; attempt < limits.tagMoveAttemptsMax; attempt += 1) {
    const record = current?.record
    if (current && record && isAtLeast(record, move)) return { tag: latestTag, etag: current.etag, ...record }
    const admittedAt = move.admittedAt.toISOString()
    const moved: TagRecord = {
      digest: move.digest,
      movedAt: new Date().toISOString(),
      movedBy: move.by,
      admittedAt,
    }
    const written = await tags.write(ref, latestTag, moved, conditionFor(current))
    if (written) return written
    current = await tags.find(ref, latestTag)
  }
  throw contended()
}

/** Newer, or this very move (a retry, or one whose answer was lost). */
function isAtLeast(current: TagRecord, move: LatestMove): boolean {
  const currentAt = Date.parse(current.admittedAt)
  const moveAt = move.admittedAt.getTime()
  return currentAt > moveAt || (currentAt === moveAt && current.digest === move.digest)
}

function found({ etag, ...record }: StoredTag): FoundTag {
  return { etag, record }
}

function conditionOf(current: FoundTag | null) {
  return current ? { etag: current.etag } : ({ absent: true } as const)
}

function contended(): DocumentError {
  return new DocumentError('conflict', 'The tag "latest" is being moved by many at once. Try again.')
}
