import { limits } from '../limits.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { type Digest, type DocumentRef, latestTag } from '../wire/names.ts'
import { DocumentError } from './document-error.ts'
import { latestKey } from './document-key.ts'
import { versionExists } from './stored-version.ts'
import type { FoundTag, StoredTag, TagRecord, TagStore } from './tag-store.ts'
import { newestVersions } from './version-pages.ts'

/** A wish to point `latest` at a version: by whom, and since when. */
export interface LatestMove {
  digest: Digest
  by: string
  admittedAt: Date
}

/**
 * Keeps `latest` at the version whose upload was admitted last. Moves of one document are gathered: while one is
 * being written, the next ones wait, and only the newest of them is written, since it would overwrite the others
 * anyway. Between replicas the store's compare-and-set decides.
 */
export interface Latest {
  /** Moves `latest`. @returns the tag after the move, which may be that of a newer move. */
  move(ref: DocumentRef, move: LatestMove): Promise<StoredTag>
  /**
   * If `latest` points to nothing, or to `without`, points it at the newest other version, or removes it if there is
   * none.
   */
  repair(ref: DocumentRef, by: string, without?: Digest): Promise<void>
}

interface Waiting {
  move: LatestMove
  resolve(tag: StoredTag): void
  reject(error: unknown): void
}

/**
 * @param canCompareAndSet returns false if the store is known not to decide between two writers, such as RGW 16.2 in
 *   a bucket that keeps versions, which refuses every If-Match: then the last writer wins.
 */
export function createLatest(
  store: ObjectStore,
  tags: TagStore,
  canCompareAndSet: () => boolean = () => true,
): Latest {
  const queues = new Map<string, Waiting[]>()
  const compareWith = (current: FoundTag | null) => ({ over: canCompareAndSet() ? current : undefined })

  /** @param known the tag as this replica has just written it. */
  async function compareAndSet(ref: DocumentRef, move: LatestMove, known?: StoredTag): Promise<StoredTag> {
    let current: FoundTag | null = known ? toFoundTag(known) : await tags.find(ref, latestTag)
    for (let attempt = 0; attempt < limits.tagMoveAttemptsMax; attempt += 1) {
      const record = current?.record
      if (current && record && isAtLeast(record, move))
        return { tag: latestTag, etag: current.etag, ...record }
      const { digest, by: movedBy } = move
      const admittedAt = move.admittedAt.toISOString()
      const moved = { digest, movedAt: new Date().toISOString(), movedBy, admittedAt }
      const written = await tags.write(ref, latestTag, moved, compareWith(current))
      if (written) return written
      current = await tags.find(ref, latestTag)
    }
    throw contended()
  }

  /** Writes the newest move of the batch, then of what has gathered in the meantime. */
  async function work(ref: DocumentRef, key: string, queue: Waiting[]): Promise<void> {
    let known: StoredTag | undefined
    while (queue.length > 0) {
      const batch = queue.splice(0)
      const newest = batch.reduce((a, b) => (b.move.admittedAt >= a.move.admittedAt ? b : a))
      try {
        known = await compareAndSet(ref, newest.move, known)
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
        const [newest] = await newestVersions(store, ref, { limit: 1, without })
        if (newest) {
          const admittedAt = newest.storedAt
          const record = { digest: newest.digest, movedAt: new Date().toISOString(), movedBy: by, admittedAt }
          if (await tags.write(ref, latestTag, record, compareWith(current))) return
        } else if (current) {
          // There is no conditional delete: an upload since the listing may lose its tag, so look again.
          await tags.remove(ref, latestTag)
        } else return
      }
      throw contended()
    },
  }
}

/** Returns whether the tag's move is newer, or is this very move (a retry, or one whose answer was lost). */
function isAtLeast(current: TagRecord, move: LatestMove): boolean {
  const currentAt = Date.parse(current.admittedAt)
  const moveAt = move.admittedAt.getTime()
  return currentAt > moveAt || (currentAt === moveAt && current.digest === move.digest)
}

function toFoundTag({ tag, etag, ...record }: StoredTag): FoundTag {
  return { tag, etag, record }
}

function contended(): DocumentError {
  return new DocumentError('conflict', 'Too many clients are moving the tag "latest" at once. Try again.')
}
