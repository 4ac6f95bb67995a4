import { LRUCache } from 'lru-cache'
import { limits } from '../limits.ts'
import { type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'
import type { DocumentRef } from '../wire/names.ts'
import { compareAndSetUnavailable, contended, DocumentError } from './document-error.ts'
import { recordKey } from './document-key.ts'
import { DocumentRecord, emptyRecord, newChangeId, sealed } from './document-record.ts'
import { storedJson } from './stored-json.ts'
import { createTagIndex, indexed } from './tag-index.ts'

/** A moment on this replica. Moments only order what this replica sent and received; no clocks are compared. */
export type Moment = number

/** A record as a change sees it. */
export interface RecordState {
  record: DocumentRecord
  /**
   * No deletion has begun or ended between this moment and the write of the change. What the caller has put or seen in
   * the store since is therefore still there when the change is written.
   */
  since: Moment
}

/** What a change makes of a record: the next one to write, or nothing; and the answer for the caller. */
export type Changed<T> =
  | {
      to: DocumentRecord
      result: T
      /** True if the change begins or ends a deletion. */
      deletion?: boolean
    }
  | { to?: undefined; result: T }

/**
 * Computes a change from the record as it is. Called again, on a newer record, whenever another writer was faster. What
 * it throws becomes the caller's error, like a result without a write.
 */
export type Change<T> = (state: RecordState) => Changed<T>

/**
 * The records of all documents (ARCHITECTURE.md, "The record"). Changes of one record on this replica share writes;
 * between replicas the store's compare-and-set decides.
 */
export interface Records {
  /** Returns the present moment: take it before a call to the store whose effect a change rests on. */
  moment(): Moment
  /** Returns the record as this replica knew it last, the empty one if it has not seen it. Asks the store nothing. */
  lastKnown(ref: DocumentRef): DocumentRecord
  /**
   * Returns the record as the store has it now, the empty one if there is none.
   *
   * @throws {DocumentError} `integrity_violated` for a damaged one
   */
  read(ref: DocumentRef, signal?: AbortSignal): Promise<DocumentRecord>
  /**
   * Applies a change to the record as it is. A result without a write is only returned if the record that it was
   * computed from was the present one at some time during this call.
   *
   * @throws {DocumentError} `store_unavailable` if it is not known whether the change was written;
   *   `compare_and_set_unavailable`, `integrity_violated`; what the change throws.
   */
  change<T>(ref: DocumentRef, change: Change<T>): Promise<T>
}

export interface RecordOptions {
  /** Waits; default: by the system's timers. */
  sleep?: ((milliseconds: number) => Promise<void>) | undefined
  /** True if no other process writes, so that none has to be given its turn. */
  alone?: boolean | undefined
}

/** A record as this replica knows it. */
interface Known extends RecordState {
  /** `null`: there is none. */
  etag: string | null
  /** It was the present one at some time after this moment. */
  confirmed: Moment
  /** When this replica learnt of it. */
  learned: Moment
  bytes: number
}

interface Waiting {
  began: Moment
  evaluate: Change<unknown>
  resolve(result: unknown): void
  reject(error: unknown): void
}

/** What a batch of changes makes of a record. */
interface Evaluated {
  record: DocumentRecord
  deletion: boolean
  settle: (() => void)[]
}

/** How a write ended: `lost` means that nothing was written. */
type Written = { known: Known; lost: boolean }

/** @param store under S3_PREFIX_DOCS; honours both conditions of a put. One per process. */
export function createRecords(
  store: Pick<ObjectStore, 'getWhole' | 'put' | 'delete'>,
  { sleep = Bun.sleep, alone = false }: RecordOptions = {},
): Records {
  const index = createTagIndex(store)
  let now: Moment = 0
  const moment = () => ++now
  const queues = new Map<string, Waiting[]>()
  const cache = new LRUCache<string, Known>({
    maxSize: limits.recordCacheBytesMax,
    sizeCalculation: ({ bytes }) => bytes,
  })

  /**
   * Keeps the newer one of two states. A read that began after the other one was learnt is newer, even if its revision
   * is lower: the record was lost, or restored from a backup.
   */
  function remember(key: string, seen: Omit<Known, 'learned'>): Known {
    const known = { ...seen, learned: moment() }
    const older = cache.get(key)
    if (older && older.learned > known.confirmed && older.record.revision > known.record.revision)
      return known
    // The same state, seen twice: what was known of it before still holds.
    const same = older?.etag === known.etag
    const kept = same
      ? {
          ...known,
          since: Math.min(older.since, known.since),
          confirmed: Math.max(older.confirmed, known.confirmed),
        }
      : known
    if (kept.etag === null) cache.delete(key)
    else cache.set(key, kept)
    return kept
  }

  /** Reads the record, or finds that it is still the one that is known. */
  async function refresh(key: string, signal?: AbortSignal): Promise<Known> {
    const confirmed = moment()
    const known = cache.get(key)
    const unless = known?.etag ?? undefined
    const object = await store.getWhole(key, { bytesMax: limits.recordBytesMax, unless, signal })
    if (object === 'unchanged' && known) return remember(key, { ...known, confirmed })
    if (object === 'unchanged' || object === null) {
      return remember(key, { record: emptyRecord, etag: null, since: moment(), confirmed, bytes: 1 })
    }
    const record = await storedJson(DocumentRecord, object)
    if (!record) throw damaged()
    return remember(key, { record, etag: object.etag, since: moment(), confirmed, bytes: object.size })
  }

  /** Writes the next state of a record over the known one, between the rows that its tags gain and those that they lose. */
  async function write(ref: DocumentRef, base: Known, evaluated: Evaluated): Promise<Written> {
    const id = newChangeId()
    const { record, added, removed } = indexed(ref, { from: base.record, to: evaluated.record, writeId: id })
    await index.add(added)
    const written = await writeRecord(recordKey(ref), base, { ...evaluated, record }, id)
    await index.remove(written.lost ? added : removed)
    return written
  }

  /** Writes the next state of a record over the known one, with as many tries as any call has. */
  async function writeRecord(
    key: string,
    base: Known,
    { record, deletion }: Evaluated,
    id: string,
  ): Promise<Written> {
    const next = sealed(record, id)
    const bytes = new TextEncoder().encode(JSON.stringify(next))
    let unanswered: ObjectStoreError | null = null
    for (let tries = 1; ; tries += 1) {
      const confirmed = moment()
      const stored = await store
        .put(key, bytes, {
          size: bytes.byteLength,
          contentType: 'application/json',
          condition: base.etag === null ? { absent: true } : { etag: base.etag },
          // An adapter that repeats the put could not tell a lost race from its own first try.
          once: true,
        })
        .catch((error: unknown) => {
          if (!(error instanceof ObjectStoreError) || error.code !== 'unavailable') throw error
          unanswered = error
          return 'unanswered' as const
        })
      if (stored && stored !== 'unanswered') {
        const since = deletion ? moment() : base.since
        const known = { record: next, etag: stored.etag, since, confirmed, bytes: bytes.byteLength }
        return { known: remember(key, known), lost: false }
      }
      const found = await refresh(key).catch((error: unknown) => {
        throw unanswered ? outcomeUnknown(unanswered) : error
      })
      if (found.record.changes.includes(id)) return { known: found, lost: false }
      if (found.etag !== base.etag) {
        if (unanswered === null || remembersWritesSince(base, found)) return { known: found, lost: true }
        throw outcomeUnknown(unanswered)
      }
      if (unanswered === null) throw compareAndSetUnavailable()
      if (tries >= limits.storeAttemptsMax) throw outcomeUnknown(unanswered)
      // The same bytes over the same state: however many of the tries arrive, one of them counts.
      await sleep(Math.random() * 100 * 2 ** tries)
    }
  }

  /** Applies what waits for one record, until nothing does. */
  async function work(ref: DocumentRef, queue: Waiting[]): Promise<void> {
    const key = recordKey(ref)
    let base: Known = cache.get(key) ?? unseen()
    let writesInARow = 0
    let lostInARow = 0
    while (queue.length > 0) {
      const batch = queue.slice(0, limits.recordBatchMax)
      base = newerOf(base, cache.get(key))
      try {
        if (lostInARow >= limits.recordAttemptsMax) throw contended()
        const evaluated = evaluate(base, batch, moment)
        if (evaluated.record !== base.record) {
          const startedAt = performance.now()
          const written = await write(ref, base, evaluated)
          base = written.known
          lostInARow = written.lost ? lostInARow + 1 : 0
          if (written.lost) continue
          writesInARow += 1
          settle(queue, batch, evaluated.settle)
          if (writesInARow >= 2 && queue.length > 0 && !alone) {
            // Replicas that need a read and a write for their turn would otherwise never get it.
            await sleep(Math.random() * 4 * (performance.now() - startedAt))
            writesInARow = 0
          }
        } else if (batch.every(({ began }) => base.confirmed > began)) {
          settle(queue, batch, evaluated.settle)
        } else {
          base = await refresh(key)
        }
      } catch (error) {
        cache.delete(key)
        base = unseen()
        lostInARow = 0
        const rejections = batch.map(
          ({ reject }) =>
            () =>
              reject(error),
        )
        settle(queue, batch, rejections)
      }
    }
    queues.delete(key)
  }

  return {
    moment,

    lastKnown: (ref) => cache.get(recordKey(ref))?.record ?? emptyRecord,

    read: async (ref, signal) => (await refresh(recordKey(ref), signal)).record,

    change<T>(ref: DocumentRef, change: Change<T>): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      const waiting: Waiting = {
        began: moment(),
        evaluate: change,
        resolve: (result) => resolve(result as T),
        reject,
      }
      const key = recordKey(ref)
      const queue = queues.get(key)
      if (queue) queue.push(waiting)
      else {
        const begun = [waiting]
        queues.set(key, begun)
        void work(ref, begun)
      }
      return promise
    },
  }
}

function newerOf(base: Known, cached: Known | undefined): Known {
  return cached && cached.record.revision > base.record.revision ? cached : base
}

/** A record that this replica has not seen is taken to be absent: the store refuses the write if it is not. */
function unseen(): Known {
  return { record: emptyRecord, etag: null, since: 0, confirmed: 0, learned: 0, bytes: 1 }
}

/**
 * Returns whether a record names every write since `base`, so that a write over `base` that it does not name has not
 * been made, and never will be: its condition cannot hold again.
 */
function remembersWritesSince(base: Known, { record }: Known): boolean {
  const last = base.record.changes.at(-1)
  if (last === undefined) return record.changes.length < limits.recordChangesMax
  return record.changes.includes(last)
}

/** Evaluates changes one after the other, each on the record as the ones before leave it. */
function evaluate(base: Known, batch: readonly Waiting[], moment: () => Moment): Evaluated {
  const evaluated: Evaluated = { record: base.record, deletion: false, settle: [] }
  for (const { evaluate, resolve, reject } of batch) {
    try {
      // A change that follows a deletion in this very write has seen the store as it was before.
      const since = evaluated.deletion ? moment() : base.since
      const changed = evaluate({ record: evaluated.record, since })
      if (changed.to) {
        evaluated.record = changed.to
        evaluated.deletion ||= changed.deletion === true
      }
      evaluated.settle.push(() => resolve(changed.result))
    } catch (error) {
      evaluated.settle.push(() => reject(error))
    }
  }
  return evaluated
}

function settle(queue: Waiting[], batch: readonly Waiting[], settlements: readonly (() => void)[]): void {
  queue.splice(0, batch.length)
  for (const settlement of settlements) settlement()
}

function damaged(): DocumentError {
  return new DocumentError(
    'integrity_violated',
    'The record of this document is damaged. Its versions can be read by their digests. Tell the operator: "scrub" rebuilds the record.',
  )
}

function outcomeUnknown(cause: ObjectStoreError): DocumentError {
  return new DocumentError(
    'store_unavailable',
    'The object store did not answer, so it is not known whether the change was made. Look, and try again.',
    {},
    { cause, retryAfterSeconds: cause.retryAfterSeconds },
  )
}
