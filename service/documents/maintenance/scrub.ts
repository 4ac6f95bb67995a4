import { eachObject, objectsAfter } from '../../object-store/each-object.ts'
import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import type { Digest, VersionRef } from '../../wire/names.ts'
import { digestOfHex, parseVersionKey, tenantsPrefix } from '../document-key.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'
import type { Tally } from './recount.ts'

export interface ScrubOptions {
  /** Key to continue after, as an earlier run reported it; exclusive. */
  after?: string | undefined
  /** Upper bound of the reading rate, so that the scrub does not compete with users. */
  bytesPerSecondMax: number
  /** Counts what is listed, from the first key. */
  tally?: Tally | undefined
  signal?: AbortSignal | undefined
}

/** One stored version, re-hashed. */
export interface Scrubbed {
  /** Pass this as `after` to continue after it. */
  key: string
  ref: VersionRef
  /** Bytes that were read. */
  size: number
  /** `null` if there was nothing to hash: gone since the listing (intact), or unreadable (not intact). */
  found: Digest | null
  intact: boolean
}

/** A read that fails this often while the store answers other calls is a fault of the object. */
const readAttemptsMax = 3

/**
 * Re-reads every stored version in the order of the store and hashes it. Reads and never writes; holds one chunk of memory
 * and one connection.
 *
 * @throws {ObjectStoreError} if the store fails: continue after the last key that was yielded.
 */
export async function* scrub(store: ObjectStore, options: ScrubOptions): AsyncGenerator<Scrubbed> {
  const { signal } = options
  const reading = { rateLimit: createRateLimit(options.bytesPerSecondMax, signal), signal }
  const listing = () => {
    const objects = eachObject(store, tenantsPrefix, { signal })
    return options.tally?.of(objects) ?? objects
  }
  for await (const { key } of objectsAfter(listing, options.after)) {
    const ref = parseVersionKey(key)
    if (ref) yield await rehash(store, key, ref, reading)
  }
}

/**
 * Stores check their own disks and refuse to serve what they find damaged: that is damage to report, not an outage
 * that would end every scrub at the same key.
 */
async function rehash(
  store: ObjectStore,
  key: string,
  ref: VersionRef,
  reading: ReadingOptions,
): Promise<Scrubbed> {
  for (let attempt = 1; attempt <= readAttemptsMax; attempt += 1) {
    try {
      const read = await hashStored(store, key, reading)
      // `null`: deleted since it was listed, so there is nothing to complain about.
      if (!read) return { key, ref, size: 0, found: null, intact: true }
      const { digest: found, size, whole } = read
      return { key, ref, size, found, intact: found === ref.digest && whole }
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'unavailable') throw error
      await store.clock({ signal: reading.signal })
    }
  }
  return { key, ref, size: 0, found: null, intact: false }
}

export interface ReadingOptions {
  rateLimit: RateLimit
  signal?: AbortSignal | undefined
}

/**
 * Reads an object to its end and hashes it.
 *
 * @returns its digest, the bytes read and whether those are all of them; `null` if there is no such object.
 */
export async function hashStored(
  store: ObjectStore,
  key: string,
  { rateLimit, signal }: ReadingOptions,
): Promise<{ digest: Digest; size: number; whole: boolean } | null> {
  const object = await store.get(key, { signal })
  if (!object) return null
  const hasher = new Bun.CryptoHasher('sha256')
  let size = 0
  for await (const chunk of object.body) {
    hasher.update(chunk)
    size += chunk.byteLength
    await rateLimit(chunk.byteLength)
  }
  return { digest: digestOfHex(hasher.digest('hex')), size, whole: size === object.size }
}
