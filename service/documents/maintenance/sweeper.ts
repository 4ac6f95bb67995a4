import { limits } from '../../limits.ts'
import { eachObject } from '../../object-store/each-object.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { stagingPrefix, tenantsPrefix } from '../document-key.ts'
import { type WatchedDeletions, type WatchOptions, watchDeletions } from './deletion-watch.ts'

export interface Swept extends WatchedDeletions {
  /** Objects in `staging/`: bytes that were not published, and leases of completions. */
  stagedRemoved: number
  uploadsAborted: number
}

/**
 * Removes what uploads leave behind when a process is killed: objects in `staging/` and unfinished multipart uploads,
 * both only if they are older than 24 h by the store's own clock, so that a running upload is never touched. It also
 * looks after deletions (`deletion-watch.ts`). Safe to run on every replica at once.
 *
 * @throws {ObjectStoreError} if the store fails.
 */
export async function sweep(store: ObjectStore, options: WatchOptions = {}): Promise<Swept> {
  const { signal } = options
  const now = await store.clock({ signal })
  const before = now.getTime() - limits.leftoverAgeSecondsMin * 1000
  return {
    ...(await watchDeletions(store, options)),
    stagedRemoved: await removeStaged(store, before, signal),
    uploadsAborted:
      (await abortUnfinished(store, stagingPrefix, before, signal)) +
      (await abortUnfinished(store, tenantsPrefix, before, signal)),
  }
}

async function removeStaged(store: ObjectStore, before: number, signal?: AbortSignal): Promise<number> {
  let removed = 0
  for await (const { key, lastModified } of eachObject(store, stagingPrefix, { signal })) {
    if (lastModified.getTime() >= before) continue
    await store.delete(key, { signal })
    removed += 1
  }
  return removed
}

async function abortUnfinished(
  store: ObjectStore,
  prefix: string,
  before: number,
  signal?: AbortSignal,
): Promise<number> {
  let aborted = 0
  for (const { key, uploadId, startedAt } of await store.listUnfinished(prefix, { signal })) {
    if (startedAt.getTime() >= before) continue
    await store.abortUnfinished(key, uploadId, { signal })
    aborted += 1
  }
  return aborted
}
