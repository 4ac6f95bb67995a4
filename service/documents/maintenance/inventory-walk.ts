import { type Static, Type } from '@sinclair/typebox'
import { limits } from '../../limits.ts'
import { eachObject } from '../../object-store/each-object.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import {
  inventoriesPrefix,
  inventoryKey,
  inventoryWalkKey,
  listPrefix,
  tenantsPrefix,
} from '../document-key.ts'
import { newChangeId } from '../document-record.ts'
import { countInventory, type Inventory } from '../inventory.ts'
import { readJsonAt, writeJsonAt } from '../stored-json.ts'

/** How far the walk of all replicas has come. It is changed by compare-and-set, so that one replica walks at a time. */
const Walk = Type.Object({
  format: Type.Literal(1),
  /** By the store's clock, like all times here. */
  startedAt: Type.String(),
  /** Names the replica's walk that is under way, or was the last one. */
  by: Type.String(),
  /** When that was last known to be under way. */
  renewedAt: Type.String(),
  /** The tenant that was finished last; empty for none. */
  after: Type.String(),
  /** What was counted so far, of all tenants. */
  documents: Type.Integer(),
  versions: Type.Integer(),
  bytes: Type.Integer(),
  /** `null` while it is under way. */
  finishedAt: Type.Union([Type.String(), Type.Null()]),
})
type Walk = Static<typeof Walk>

/** What all tenants together had stored when they were counted last. */
export interface Totals {
  /** By the store's clock, RFC 3339. */
  startedAt: string
  documents: number
  versions: number
  bytes: number
}

/** A walk as it is in the store; `etag` is `null` where there is none. */
interface Held {
  walk: Walk
  etag: string | null
}

export interface WalkOptions {
  /** Waits; default: by the system's timers. */
  sleep?: ((milliseconds: number) => Promise<void>) | undefined
  signal?: AbortSignal | undefined
}

/**
 * - `finished`: this replica has taken the inventories, or the rest of them.
 * - `fresh`: they were taken within the last hour.
 * - `busy`: another replica takes them, or has taken over.
 */
export type WalkOutcome = 'finished' | 'fresh' | 'busy'

/**
 * Takes the inventory of every tenant, unless that was done within the hour: a list call per thousand versions, at most
 * `limits.inventoryPagesPerSecondMax` per second. A walk that was stopped is continued by any replica after the tenant
 * that was finished last. Safe to run on every replica at once.
 *
 * @throws {ObjectStoreError} if the store fails: call it again later.
 */
export async function takeInventories(store: ObjectStore, options: WalkOptions = {}): Promise<WalkOutcome> {
  const { sleep = Bun.sleep, signal } = options
  const claimed = await claim(store, signal)
  if (typeof claimed === 'string') return claimed
  let held = claimed
  let renewedAt = performance.now()

  /** @returns whether the walk is still that of this replica. */
  async function renew(changes: Partial<Walk> = {}): Promise<boolean> {
    const now = (await store.clock({ signal })).toISOString()
    const renewed = await write(store, held, { ...held.walk, ...changes, renewedAt: now })
    if (!renewed) return false
    held = renewed
    renewedAt = performance.now()
    return true
  }

  const tenants = await tenantsOf(store, signal)
  const { startedAt, after } = held.walk
  for (const tenant of tenants.slice(tenants.indexOf(after) + 1)) {
    const count = countInventory()
    let listed = 0
    for await (const object of eachObject(store, listPrefix({ tenant }), { signal })) {
      count.add(object)
      listed += 1
      if (listed % limits.listLimitMax > 0) continue
      await sleep(1000 / limits.inventoryPagesPerSecondMax)
      const isDue = performance.now() - renewedAt > (limits.inventoryClaimSeconds * 1000) / 4
      if (isDue && !(await renew())) return 'busy'
    }
    const finishedAt = (await store.clock({ signal })).toISOString()
    const counted = count.counted()
    const inventory: Inventory = { format: 1, startedAt, finishedAt, ...counted }
    await writeJsonAt(store, inventoryKey(tenant), inventory, { signal })
    await sleep(1000 / limits.inventoryPagesPerSecondMax)
    if (!(await renew({ after: tenant, ...sumOf([held.walk, ...counted.types]) }))) return 'busy'
  }
  await removeOthers(store, new Set(tenants.map(inventoryKey)), signal)
  const finishedAt = (await store.clock({ signal })).toISOString()
  return (await renew({ finishedAt })) ? 'finished' : 'busy'
}

/** Returns what all tenants together have stored, `null` while that is not known. @throws {ObjectStoreError} */
export async function inventoryTotals(
  store: Pick<ObjectStore, 'getWhole'>,
  { signal }: Pick<WalkOptions, 'signal'> = {},
): Promise<Totals | null> {
  const walk = (await readWalk(store, signal))?.value
  return walk?.finishedAt ? walk : null
}

type Sums = Omit<Totals, 'startedAt'>

function sumOf(rows: readonly Sums[]): Sums {
  const sum = (of: (row: Sums) => number) => rows.reduce((total, row) => total + of(row), 0)
  return {
    documents: sum(({ documents }) => documents),
    versions: sum(({ versions }) => versions),
    bytes: sum(({ bytes }) => bytes),
  }
}

/** Takes the walk, or finds that there is nothing to do. */
async function claim(store: ObjectStore, signal: AbortSignal | undefined): Promise<Held | 'fresh' | 'busy'> {
  const [found, clock] = await Promise.all([readWalk(store, signal), store.clock({ signal })])
  const now = clock.toISOString()
  const last = found?.value
  const secondsSince = (time: string) => (clock.getTime() - Date.parse(time)) / 1000
  if (last?.finishedAt && secondsSince(last.startedAt) < limits.inventorySecondsMin) return 'fresh'
  if (last && !last.finishedAt && secondsSince(last.renewedAt) < limits.inventoryClaimSeconds) return 'busy'
  const continues =
    last && !last.finishedAt && secondsSince(last.startedAt) < limits.inventoryContinuedSecondsMax
  const begun = { startedAt: now, after: '', documents: 0, versions: 0, bytes: 0 }
  const walk: Walk = {
    ...(continues ? last : begun),
    ...{ format: 1, by: newChangeId(), renewedAt: now, finishedAt: null },
  }
  return (await write(store, { walk, etag: found?.object.etag ?? null }, walk)) ?? 'busy'
}

function readWalk(store: Pick<ObjectStore, 'getWhole'>, signal: AbortSignal | undefined) {
  return readJsonAt(store, inventoryWalkKey, { schema: Walk, bytesMax: limits.inventoryBytesMax, signal })
}

/** @returns `null` if another replica has written since. */
async function write(store: ObjectStore, { etag }: Held, walk: Walk): Promise<Held | null> {
  const condition = etag === null ? ({ absent: true } as const) : { etag }
  const stored = await writeJsonAt(store, inventoryWalkKey, walk, { condition, once: true })
  return stored && { walk, etag: stored.etag }
}

async function tenantsOf(store: ObjectStore, signal: AbortSignal | undefined): Promise<string[]> {
  const tenants: string[] = []
  for (let token: string | null | undefined; token !== null; ) {
    const page = await store.listPrefixes({
      prefix: tenantsPrefix,
      limit: limits.listLimitMax,
      token,
      signal,
    })
    tenants.push(...page.prefixes.map((prefix) => prefix.slice(tenantsPrefix.length, -1)))
    token = page.next
  }
  return tenants
}

/** Inventories of tenants that have nothing any more. */
async function removeOthers(
  store: ObjectStore,
  kept: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const { key } of eachObject(store, inventoriesPrefix, { signal }))
    if (key !== inventoryWalkKey && !kept.has(key)) await store.delete(key, { signal })
}
