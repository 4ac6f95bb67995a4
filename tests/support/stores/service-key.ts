import type { StoreConnection, StoreCredentials } from '../../../compose/servers/running-store.ts'

/** The key that a service in a test gets: it has the rights of `service-rights.ts` and no others. */
export interface ServiceKey extends StoreCredentials {
  /** How bucket policies name the owner's key and this one, where it is they that narrow it (RGW). */
  principals?: { owner: string; service: string }
}

/** A store whose own keys may do everything: for making buckets, and for looking from outside. */
export interface StoreForTests extends StoreConnection {
  /** Absent where keys cannot be narrowed so: SeaweedFS knows no such rights, and its service has the owner's. */
  serviceKey?: ServiceKey
}

/** Below it the service keeps everything, in a bucket `test-…` (`bucket.ts`). */
export const docsPrefix = 'docs/'

/**
 * The store as the service reaches it, whose key can make no bucket and look at nothing beyond `docs/`.
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
