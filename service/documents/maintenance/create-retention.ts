import type { ObjectStore } from '../../object-store/object-store.ts'
import { createAcceptance } from '../acceptance.ts'
import { createDeletions } from '../deletions.ts'
import { createLatest } from '../latest.ts'
import { createTagStore } from '../tag-store.ts'
import { createVersionRemoval, type RemoveVersion } from '../version-removal.ts'
import { type Expired, expiredVersions, type RetentionRule } from './retention.ts'

/** What a retention run works with, beside a service that goes on serving. */
export interface Retention {
  expired(
    rule: RetentionRule,
    tenants: readonly string[] | null,
    signal?: AbortSignal,
  ): AsyncGenerator<Expired>
  /** As `DELETE` of the API, on the terms of replicas that know nothing of each other. */
  remove: RemoveVersion
}

/** @param store under S3_PREFIX_DOCS. */
export function createRetention(store: ObjectStore): Retention {
  const tags = createTagStore(store)
  const latest = createLatest(store, tags)
  const parts = { acceptance: createAcceptance(store, tags, latest), latest, deletions: createDeletions() }
  return {
    expired: (rule, tenants, signal) => expiredVersions(store, tags, rule, tenants, signal),
    remove: createVersionRemoval(store, parts),
  }
}
