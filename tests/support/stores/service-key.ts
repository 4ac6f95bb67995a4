import type { StoreConnection, StoreCredentials } from '../../../compose/servers/running-store.ts'

/** The key that a service in a test gets: it has the rights of `service-rights.ts` and no others. */
export interface ServiceKey extends StoreCredentials {
  /** The names of the owner's key and this one in bucket policies, on stores where those narrow it (RGW). */
  principals?: { owner: string; service: string }
}

/** A store whose own keys may do everything: to create buckets, and to inspect them from outside. */
export interface StoreForTests extends StoreConnection {
  /** Absent if keys cannot be narrowed: SeaweedFS has no such rights, so its service uses the owner's key. */
  serviceKey?: ServiceKey
}

/** Below it the service keeps everything, in a bucket `test-…` (`bucket.ts`). */
export const docsPrefix = 'docs/'

/**
 * Returns the store as the service reaches it, whose key can create no bucket and see nothing outside `docs/`.
 *
 * @throws {Error} if no key was narrowed although the store can do that.
 */
export function asService<Store extends StoreForTests>(store: Store): Store {
  const { kind, serviceKey } = store
  if (serviceKey !== undefined) return { ...store, ...keysOf(serviceKey) }
  if (kind === 'seaweedfs') return store
  throw new Error(`a service must not have the owner's key of ${kind}`)
}

function keysOf({ accessKeyId, secretAccessKey }: ServiceKey): StoreCredentials {
  return { accessKeyId, secretAccessKey }
}
