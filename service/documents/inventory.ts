import { type Static, Type } from '@sinclair/typebox'
import { limits } from '../limits.ts'
import type { ListedObject, ObjectStore } from '../object-store/object-store.ts'
import type { Usage } from '../wire/answers.ts'
import { type Digest, digestPattern } from '../wire/names.ts'
import { DocumentError } from './document-error.ts'
import { inventoryKey } from './document-key.ts'
import type { Documents } from './documents.ts'
import { compareNewestFirst, toListedVersion } from './listing/version-pages.ts'
import { readJsonAt } from './stored-json.ts'

/**
 * The inventory of a tenant: what it has stored, counted by a walk through all its keys (`maintenance/inventory-walk.ts`).
 * It is as old as the walk, and says how old that is.
 */
export const Inventory = Type.Object({
  format: Type.Literal(1),
  /** By the store's clock. */
  startedAt: Type.String(),
  finishedAt: Type.String(),
  types: Type.Array(
    Type.Object({
      type: Type.String(),
      documents: Type.Integer(),
      versions: Type.Integer(),
      bytes: Type.Integer(),
    }),
  ),
  /** The newest versions, the newest first: `limits.inventoryNewestMax` at most. */
  newest: Type.Array(
    Type.Object({
      type: Type.String(),
      name: Type.String(),
      digest: Type.Unsafe<Digest>(Type.String({ pattern: digestPattern })),
      size: Type.Integer(),
      storedAt: Type.String(),
    }),
  ),
})
export type Inventory = Static<typeof Inventory>

/** Counts the versions of a tenant as a walk lists them. */
export interface InventoryCount {
  /** Takes a listed object; one that is no version does not count. */
  add(object: ListedObject): void
  /** Returns what was counted. */
  counted(): Pick<Inventory, 'types' | 'newest'>
}

/** Begins to count. Versions of one document have to follow each other, as every store lists them. */
export function countInventory(): InventoryCount {
  const types = new Map<string, Inventory['types'][number]>()
  const newest: NonNullable<ReturnType<typeof toListedVersion>>[] = []
  let document = ''

  return {
    add(object) {
      const version = toListedVersion(object)
      if (!version) return
      const { type, name, size } = version
      const row = types.get(type) ?? { type, documents: 0, versions: 0, bytes: 0 }
      types.set(type, row)
      if (document !== `${type}/${name}`) row.documents += 1
      document = `${type}/${name}`
      row.versions += 1
      row.bytes += size
      const last = newest.at(-1)
      if (newest.length >= limits.inventoryNewestMax && last && compareNewestFirst(version, last) > 0) return
      newest.push(version)
      newest.sort(compareNewestFirst).splice(limits.inventoryNewestMax)
    },

    counted: () => ({
      types: [...types.values()].sort((one, other) => (one.type < other.type ? -1 : 1)),
      newest: newest.map(({ type, name, digest, size, storedAt }) => ({
        type,
        name,
        digest,
        size,
        storedAt,
      })),
    }),
  }
}

/** Returns the call that reads the inventory of a tenant: one small read of the store. */
export function createUsage(store: Pick<ObjectStore, 'getWhole'>): Pick<Documents, 'usage'> {
  return {
    async usage(tenant, signal): Promise<Usage> {
      const bytesMax = limits.inventoryBytesMax
      const stored = await readJsonAt(store, inventoryKey(tenant), { schema: Inventory, bytesMax, signal })
      if (!stored?.value) throw unknown()
      const { startedAt, finishedAt, types, newest } = stored.value
      return {
        tenant,
        startedAt,
        finishedAt,
        types,
        newest: newest.map((version) => ({ tenant, ...version })),
      }
    },
  }
}

function unknown(): DocumentError {
  return new DocumentError(
    'usage_unknown',
    'No inventory of this tenant has been taken yet. The service takes one within an hour. Try again later.',
  )
}
