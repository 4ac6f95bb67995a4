import { eachObject } from '../../object-store/each-object.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ListedVersion } from '../../wire/answers.ts'
import type { Digest } from '../../wire/names.ts'
import { listPrefix, tenantsPrefix, versionKey } from '../document-key.ts'
import { compareNewestFirst, toListedVersion } from '../listing/version-pages.ts'
import { createRecords } from '../record-store.ts'
import { createVersionRemoval, isLocked, type VersionRemoval } from '../version-removal.ts'
import { readableRecord } from './failure.ts'

/** How long versions of one type are kept. */
export interface RetentionRule {
  type: string
  /** A version is kept for this many days after it was stored; 0 keeps none because of its age. */
  keepDays: number
  /** This many of the newest versions of every document are kept regardless of their age; at least 1. */
  keepNewest: number
}

/** A version that the rule no longer keeps. */
export interface Expired {
  version: ListedVersion
  /** The store keeps it nevertheless (object lock). */
  locked: boolean
  /** Without a sound record no one knows whether a tag points to the version: it has to stay. */
  record: 'sound' | 'missing' | 'damaged'
}

/** What a retention run uses while the service is running. */
export interface Retention {
  /**
   * Yields every version that is older than the rule keeps it, by the store's own clock; never one of the newest and
   * never one that a tag points to, `latest` included. Reads and never writes: a list call per thousand keys, and
   * a read of the record of each document that has old versions.
   *
   * Decision: the age counts from when the object was stored. After a migration to another store all days begin
   * again, so versions stay longer and never shorter. Revisit when that keeps too much: `created-at` costs a HEAD each.
   *
   * @param tenants `null`: all of them, which reads the whole listing.
   * @throws {ObjectStoreError} if the store fails; what was yielded stands.
   */
  expired(
    rule: RetentionRule,
    tenants: readonly string[] | null,
    signal?: AbortSignal,
  ): AsyncGenerator<Expired>
  /** As `DELETE` of the API, with the guarantees between replicas that know nothing of each other. */
  remove: VersionRemoval['remove']
}

const dayMilliseconds = 24 * 60 * 60 * 1000

/** @param store under S3_PREFIX_DOCS. */
export function createRetention(store: ObjectStore): Retention {
  const records = createRecords(store)
  return {
    async *expired(rule, tenants, signal) {
      const { type, keepDays, keepNewest } = rule
      const before = (await store.clock({ signal })).getTime() - keepDays * dayMilliseconds
      for (const prefix of tenants?.map((tenant) => listPrefix({ tenant, type })) ?? [tenantsPrefix]) {
        for await (const versions of eachDocument(store, prefix, type, signal)) {
          const old = versions
            .toSorted(compareNewestFirst)
            .slice(Math.max(keepNewest, 1))
            .filter(({ storedAt }) => Date.parse(storedAt) < before)
          const [first] = old
          if (!first) continue
          const found = await readableRecord(records, first, signal)
          const record = found === null ? 'damaged' : found.revision === 0 ? 'missing' : 'sound'
          const tagged = new Set(Object.values(found?.tags ?? {}).map(({ digest }) => digest))
          for (const version of old) {
            if (tagged.has(version.digest)) continue
            const info = await store.head(versionKey(version), { signal })
            // `null`: deleted since it was listed.
            if (info) yield { version, locked: isLocked(info), record }
          }
        }
      }
    },

    remove: createVersionRemoval({ store, records }).remove,
  }
}

/** Yields all versions of one document after the other: in every store their keys follow each other. */
async function* eachDocument(
  store: ObjectStore,
  prefix: string,
  type: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedVersion[]> {
  // By digest: a listing that had to begin again repeats versions, and none may count twice.
  const versions = new Map<Digest, ListedVersion>()
  let last: ListedVersion | null = null
  for await (const object of eachObject(store, prefix, { signal })) {
    const version = toListedVersion(object)
    if (version?.type !== type) continue
    if (last && (last.tenant !== version.tenant || last.name !== version.name)) {
      yield [...versions.values()]
      versions.clear()
    }
    last = version
    versions.set(version.digest, version)
  }
  if (versions.size > 0) yield [...versions.values()]
}
