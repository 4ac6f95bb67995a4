import { eachObject, objectsAfter } from '../../object-store/each-object.ts'
import { isTransient, type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import type { Digest, DocumentRef, TagRef, VersionRef } from '../../wire/names.ts'
import { digestOfHex, parseRecordKey, parseVersionKey, recordKey, tenantsPrefix } from '../document-key.ts'
import { createRecords } from '../record-store.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'
import { checkRecord, type RecordFinding } from './record-check.ts'
import type { Tally } from './recount.ts'
import { checkTagRow } from './tag-row-check.ts'

export interface ScrubOptions {
  /** Key to continue after, as an earlier run reported it; exclusive. */
  after?: string | undefined
  /** Upper bound of the reading rate, so that the scrub does not compete with users. */
  bytesPerSecondMax: number
  /** Repairs records by the versions of their documents, and the index of tags; default: reads and never writes. */
  repair?: boolean | undefined
  /** Counts what is listed, from the first key. */
  tally?: Tally | undefined
  signal?: AbortSignal | undefined
}

/** One stored version, re-hashed. */
export interface ScrubbedVersion {
  of: 'version'
  /** Pass this as `after` to continue after it. */
  key: string
  ref: VersionRef
  /** Bytes that were read. */
  size: number
  /** `null` if there was nothing to hash: gone since the listing (intact), or unreadable (not intact). */
  found: Digest | null
  intact: boolean
}

/** The record of a document, compared with its versions. */
export interface ScrubbedRecord {
  of: 'record'
  /** Pass this as `after` to continue after it. */
  key: string
  ref: DocumentRef
  /** `null`: nothing is wrong. */
  finding: RecordFinding | null
}

/** A row of the index of tags that no record names. It does no harm, and is removed by a repair. */
export interface ScrubbedRow {
  of: 'row'
  /** Pass this as `after` to continue after it. */
  key: string
  ref: TagRef
}

export type Scrubbed = ScrubbedVersion | ScrubbedRecord | ScrubbedRow

/** A read that fails this often while the store answers other calls is a fault of the object. */
const readAttemptsMax = 3

/**
 * Re-reads every stored version and hashes it, and compares every record with the versions of its document and the index
 * of tags, in the order of the store's keys. Holds one chunk of memory and one connection.
 *
 * @throws {ObjectStoreError} if the store fails: continue after the last key that was yielded.
 */
export async function* scrub(store: ObjectStore, options: ScrubOptions): AsyncGenerator<Scrubbed> {
  const { signal, repair = false } = options
  const reading = { rateLimit: createRateLimit(options.bytesPerSecondMax, signal), signal }
  const checks = { store, records: createRecords(store), repair, signal }
  let document = ''
  const listing = () => {
    const objects = eachObject(store, tenantsPrefix, { signal })
    return options.tally?.of(objects) ?? objects
  }
  for await (const object of objectsAfter(listing, options.after)) {
    const { key } = object
    const unnamed = await checkTagRow(checks, object)
    if (unnamed) yield { of: 'row', key, ref: unnamed }
    const version = parseVersionKey(key)
    const ref = parseRecordKey(key)
    if (ref) yield { of: 'record', key, ref, finding: await checkRecord(checks, ref) }
    if (!version) continue
    yield await rehash(store, key, version, reading)
    // Records that are there are checked under their own keys.
    if (document !== recordKey(version) && !(await store.head(recordKey(version), { signal }))) {
      const { tenant, type, name } = version
      const finding = await checkRecord(checks, { tenant, type, name })
      if (finding) yield { of: 'record', key, ref: { tenant, type, name }, finding }
    }
    document = recordKey(version)
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
): Promise<ScrubbedVersion> {
  for (let attempt = 1; attempt <= readAttemptsMax; attempt += 1) {
    try {
      const read = await hashStored(store, key, reading)
      // `null`: deleted since it was listed, so there is nothing to complain about.
      if (!read) return { of: 'version', key, ref, size: 0, found: null, intact: true }
      const { digest: found, size, whole } = read
      return { of: 'version', key, ref, size, found, intact: found === ref.digest && whole }
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || !isTransient(error)) throw error
      await store.clock({ signal: reading.signal })
    }
  }
  return { of: 'version', key, ref, size: 0, found: null, intact: false }
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
