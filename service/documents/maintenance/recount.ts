import { eachObject } from '../../object-store/each-object.ts'
import type { CallOptions, ListedObject, ObjectStore } from '../../object-store/object-store.ts'
import { parseVersionKey, tenantsPrefix } from '../document-key.ts'
import { inParallel } from '../in-order.ts'
import { onSide, type Side } from './store-side.ts'

/**
 * Counts the versions of a store while a command works through its listing, and then a second time in another way: what
 * a listing leaves out would otherwise count as copied, equal or intact.
 */
export interface Tally {
  /** Yields the listing, and counts it from zero. */
  of(listing: AsyncIterable<ListedObject>): AsyncGenerator<ListedObject>
  /**
   * Counts again, and returns how many versions the listing left out. What was stored since the tally began does not
   * count, and versions that were deleted meanwhile hide as many that were left out.
   *
   * @throws {ObjectStoreError} if a list call fails.
   */
  leftOut(options?: CallOptions): Promise<number>
}

/** Begins a tally, by the clock of the store. @throws {ObjectStoreError} */
export async function beginTally(store: ObjectStore, { signal }: CallOptions = {}): Promise<Tally> {
  const before = await store.clock({ signal })
  let versions = 0
  return {
    async *of(listing) {
      versions = 0
      for await (const object of listing) {
        if (isVersionBefore(object, before)) versions += 1
        yield object
      }
    },
    leftOut: async (options) => Math.max(0, (await countVersions(store, { ...options, before })) - versions),
  }
}

/** Begins a tally of each of two stores. @throws {SideError} */
export async function beginTallies(
  source: ObjectStore,
  target: ObjectStore,
  options?: CallOptions,
): Promise<Record<Side, Tally>> {
  const [ofSource, ofTarget] = await Promise.all([
    beginTally(onSide('source', source), options),
    beginTally(onSide('target', target), options),
  ])
  return { source: ofSource, target: ofTarget }
}

/** Tenants begin with one of these (ARCHITECTURE.md, "The nouns"). */
const tenantBeginnings = [...'abcdefghijklmnopqrstuvwxyz0123456789']
/** Not what a listing uses that does the work: where keys get lost between pages, other ones are lost here. */
const pageKeys = 701
const parallelMax = 4

/**
 * Counts the versions in a store by the first letters of tenants, in pages of a size of its own and without pauses
 * between them.
 *
 * @param options.before counts only what was stored before this time, by the clock of the store.
 * @throws {ObjectStoreError} if a list call fails.
 */
export async function countVersions(
  store: Pick<ObjectStore, 'list'>,
  { before, signal }: CallOptions & { before?: Date | undefined } = {},
): Promise<number> {
  const counts = await inParallel(tenantBeginnings, parallelMax, async (beginning) => {
    let versions = 0
    const objects = eachObject(store, `${tenantsPrefix}${beginning}`, { pageKeys, signal })
    for await (const object of objects) if (isVersionBefore(object, before)) versions += 1
    return versions
  })
  return counts.reduce((sum, count) => sum + count, 0)
}

function isVersionBefore({ key, lastModified }: ListedObject, before: Date | undefined): boolean {
  return parseVersionKey(key) !== null && (before === undefined || lastModified < before)
}
