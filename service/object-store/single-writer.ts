import { createFairShares, type FairShares } from '../fair-shares.ts'
import { limits } from '../limits.ts'
import { type ObjectInfo, type ObjectStore, ObjectStoreError, type PutOptions } from './object-store.ts'

/**
 * Returns `store` with its conditional writes decided in this process, for a bucket in which the store itself ignores or
 * refuses conditions. Right only while this process is the only writer (`SINGLE_REPLICA`): every write of a key waits
 * for its turn, a HEAD decides whether the condition holds, and the write goes out without one.
 *
 * What remains open is a write whose answer was lost and that arrives later than the next one: without conditions in
 * the store nothing can refuse it.
 *
 * A write of a key waits for one of the same key that is under way, also for a stream with `keepsKeyFree`; reads do not.
 * Objects that others write by signed forms and URLs are not seen; they are in `staging/`, under keys used once.
 */
export function decidedInProcess(store: ObjectStore): ObjectStore {
  const inTurn = createTurns()
  return {
    ...store,

    async put(key, body, { condition, ...options }) {
      let isSent = false
      try {
        return await inTurn({ operation: 'put', key, signal: options.signal }, async () => {
          const { signal } = options
          if (condition && !holds(condition, await store.head(key, { signal }))) return null
          isSent = true
          return store.put(key, body, options)
        })
      } finally {
        if (!isSent && body instanceof ReadableStream) body.cancel().catch(() => {})
      }
    },

    copyAbsent: (from, to, options) =>
      inTurn({ operation: 'copyAbsent', key: to, signal: options.signal }, async () => {
        const { ifMatch, signal } = options
        if ((await store.head(from, { signal }))?.etag !== ifMatch) return 'changed'
        return (await store.head(to, { signal })) ? 'exists' : store.copyAbsent(from, to, options)
      }),

    delete: (key, options = {}) =>
      inTurn({ operation: 'delete', key, signal: options.signal }, () => store.delete(key, options)),

    deleteBefore: (key, options) =>
      inTurn({ operation: 'deleteBefore', key, signal: options.signal }, () =>
        store.deleteBefore(key, options),
      ),
  }
}

function holds(condition: NonNullable<PutOptions['condition']>, found: ObjectInfo | null): boolean {
  return 'absent' in condition ? found === null : found?.etag === condition.etag
}

/** A write that waits for its turn under its key. */
interface Turn {
  /** Method of the port, for errors. */
  operation: string
  key: string
  signal: AbortSignal | undefined
}

/** Returns a function that runs what it is given for one key one after the other, and for different keys at once. */
function createTurns() {
  const queues = new Map<string, { turns: FairShares; users: number }>()
  return async <T>({ operation, key, signal }: Turn, write: () => Promise<T>): Promise<T> => {
    const queue = queues.get(key) ?? { turns: createFairShares({ permitsMax: 1 }), users: 0 }
    queues.set(key, queue)
    queue.users += 1
    try {
      // First come, first served: all writers count as one tenant.
      const turn = await queue.turns.acquire(1, {
        tenant: '',
        waitSecondsMax: limits.writeTurnSecondsMax,
        signal,
      })
      if (!turn) throw new ObjectStoreError('busy', operation, 'NoTurn')
      try {
        return await write()
      } finally {
        turn.release()
      }
    } finally {
      queue.users -= 1
      if (queue.users === 0) queues.delete(key)
    }
  }
}
