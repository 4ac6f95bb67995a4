import { eachObject } from '../../object-store/each-object.ts'
import { type ListedObject, type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import { digestOfHex, parseVersionKey, tenantsPrefix } from '../document-key.ts'
import type { Digest, VersionRef } from '../document-ref.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'

export interface ScrubOptions {
  /** Key to continue after, as an earlier run reported it. */
  after?: string | undefined
  /** Upper bound of the reading rate; the scrub must not compete with users. */
  bytesPerSecondMax: number
  signal?: AbortSignal | undefined
}

/** One stored version, re-hashed. */
export interface Scrubbed {
  /** Pass this as `after` to continue behind it. */
  key: string
  ref: VersionRef
  /** Bytes that were read. */
  size: number
  /** `null` if there was nothing to hash: gone since the listing (intact), or unreadable (not intact). */
  found: Digest | null
  intact: boolean
}

/** A read that fails this often while the store answers otherwise is the object's own fault. */
const readAttemptsMax = 3

/**
 * Re-reads every stored version in key order and hashes it. Reads and never writes; holds one chunk of memory
 * and one connection.
 *
 * @throws {ObjectStoreError} if the store fails: continue after the last key that was yielded.
 */
export async function* scrub(store: ObjectStore, options: ScrubOptions): AsyncGenerator<Scrubbed> {
  const { signal } = options
  const rateLimit = createRateLimit(options.bytesPerSecondMax, options.signal)
  for await (const object of eachObject(store, tenantsPrefix, { after: options.after, signal })) {
    const ref = parseVersionKey(object.key)
    if (ref) yield await rehash(store, object, ref, rateLimit, signal)
  }
}

/**
 * Stores check their own disks and refuse what they find damaged: that is damage to be told, not an outage
 * that would end every scrub at the same key.
 */
async function rehash(
  store: ObjectStore,
  object: ListedObject,
  ref: VersionRef,
  rateLimit: RateLimit,
  signal: AbortSignal | undefined,
): Promise<Scrubbed> {
  for (let attempt = 1; attempt <= readAttemptsMax; attempt += 1) {
    try {
      return await hashOnce(store, object, ref, rateLimit, signal)
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'unavailable') throw error
      await store.clock({ signal })
    }
  }
  return { key: object.key, ref, size: 0, found: null, intact: false }
}

async function hashOnce(
  store: ObjectStore,
  { key }: ListedObject,
  ref: VersionRef,
  rateLimit: RateLimit,
  signal: AbortSignal | undefined,
): Promise<Scrubbed> {
  const object = await store.get(key, { signal })
  // Deleted since it was listed: nothing to find fault with.
  if (!object) return { key, ref, size: 0, found: null, intact: true }
  const hasher = new Bun.CryptoHasher('sha256')
  let size = 0
  for await (const chunk of object.body) {
    hasher.update(chunk)
    size += chunk.byteLength
    await rateLimit(chunk.byteLength)
  }
  const found = digestOfHex(hasher.digest('hex'))
  return { key, ref, size, found, intact: found === ref.digest && size === object.size }
}
