import type { ListedObject, ObjectStore } from '../../object-store/object-store.ts'
import type { Digest, DocumentRef, TagRef, VersionRef } from '../../wire/names.ts'
import { parseRecordKey, parseVersionKey } from '../document-key.ts'
import { inOrder } from '../in-order.ts'
import { createRecords, type Records } from '../record-store.ts'
import { sameFacts } from './copy-version.ts'
import { parseOldTagKey } from './old-layout.ts'
import { type PairedKey, pairedKeys } from './paired-keys.ts'
import { createRateLimit } from './rate-limit.ts'
import { compareRecords } from './record-comparison.ts'
import type { Tally } from './recount.ts'
import { hashStored, type ReadingOptions } from './scrub.ts'
import { onSide, SideError } from './store-side.ts'

export interface ComparisonOptions {
  /** False: only sizes and metadata are compared, and no bytes are read. */
  bytes: boolean
  parallelMax: number
  /** Upper bound of the reading rate, of both stores together. */
  bytesPerSecondMax: number
  onBytes?: ((bytes: number) => void) | undefined
  /** Count the versions that each store lists. */
  tallies?: { source: Tally; target: Tally } | undefined
  signal?: AbortSignal | undefined
}

/** A version, a tag, or the record of a document in two stores, and how they differ; an empty list if they do not. */
export interface Compared {
  ref: VersionRef | TagRef | DocumentRef
  differences: Difference[]
  /** Bytes that were read and hashed, in both. */
  hashed: number
}

/**
 * - `only in source`, `only in target`
 * - `size`, `metadata` (of a version: content type, created-at, created-by, trace id)
 * - `bytes in source`, `bytes in target`: they hash to another digest than their key names, or cannot be read
 * - `version` (of a tag: it points elsewhere), `move` (the same version, by another move)
 * - `deletions` (of a record: it notes other deleted versions), `marks` (other deletions are under way)
 * - `old layout` (of a tag: it is still an object of its own, see the command `convert`)
 */
export type Difference =
  | 'only in source'
  | 'only in target'
  | 'size'
  | 'metadata'
  | 'bytes in source'
  | 'bytes in target'
  | 'version'
  | 'move'
  | 'deletions'
  | 'marks'
  | 'old layout'

/**
 * Compares all versions and records of two stores, and every version's bytes with its digest: first those of the source
 * in its order, then those that only the target has. Reads and never writes.
 *
 * @throws {SideError} if a store is out of reach.
 */
export async function* compareStores(
  source: ObjectStore,
  target: ObjectStore,
  { parallelMax, ...options }: ComparisonOptions,
): AsyncGenerator<Compared> {
  const rateLimit = createRateLimit(options.bytesPerSecondMax, options.signal)
  const sides = { source: onSide('source', source), target: onSide('target', target) }
  const context: Context = {
    ...sides,
    ...options,
    records: { source: createRecords(sides.source), target: createRecords(sides.target) },
    rateLimit: async (bytes) => {
      options.onBytes?.(bytes)
      await rateLimit(bytes)
    },
  }
  const pairs = known(pairedKeys(sides.source, sides.target, options))
  const bounds = { parallelMax, aheadMax: parallelMax * 16 }
  const all = inOrder(pairs, bounds, async (known) => ({
    pair: known.pair,
    compared: await compare(context, known),
  }))
  for await (const { pair, compared } of all) {
    // A version removed from the source since it was listed comes once more, among what only the target has.
    const comesAgain = ({ ref, differences }: Compared) =>
      pair.source !== null && 'digest' in ref && differences.includes('only in target')
    yield* compared.filter((one) => !comesAgain(one))
  }
}

interface Context extends ReadingOptions {
  source: ObjectStore
  target: ObjectStore
  records: { source: Records; target: Records }
  bytes: boolean
}

interface KnownPair {
  ref: VersionRef | TagRef | DocumentRef
  pair: PairedKey
}

async function* known(pairs: AsyncIterable<PairedKey>): AsyncGenerator<KnownPair> {
  for await (const pair of pairs) {
    const ref = parseVersionKey(pair.key) ?? parseRecordKey(pair.key) ?? parseOldTagKey(pair.key)
    if (ref) yield { ref, pair }
  }
}

async function compare(context: Context, { ref, pair }: KnownPair): Promise<Compared[]> {
  if ('digest' in ref) return [await compareVersion(context, ref, pair)]
  if ('tag' in ref) return [{ ref, differences: ['old layout'], hashed: 0 }]
  return compareRecords(context.records, ref, context.signal)
}

async function compareVersion(
  context: Context,
  ref: VersionRef,
  { key, source, target }: PairedKey,
): Promise<Compared> {
  const differences: Difference[] = []
  if (source && target) differences.push(...(await compareFacts(context, key, source, target)))
  else differences.push(source ? 'only in source' : 'only in target')
  let hashed = 0
  for (const side of ['source', 'target'] as const) {
    const object = { source, target }[side]
    if (!context.bytes || !object) continue
    const found = await digestOf(context[side], key, context)
    if (found === 'gone') continue
    if (found !== ref.digest) differences.push(`bytes in ${side}`)
    hashed += object.size
  }
  return { ref, differences, hashed }
}

async function compareFacts(
  { source, target, signal }: Context,
  key: string,
  here: ListedObject,
  there: ListedObject,
): Promise<Difference[]> {
  const [one, other] = await Promise.all([source.head(key, { signal }), target.head(key, { signal })])
  if (!one || !other) return one ? ['only in source'] : other ? ['only in target'] : []
  const size: Difference[] = here.size === there.size ? [] : ['size']
  return sameFacts(one, other) ? size : [...size, 'metadata']
}

/** @returns `gone` if it was removed since it was listed; `null` if the store does not serve the bytes. */
async function digestOf(store: ObjectStore, key: string, context: Context): Promise<Digest | 'gone' | null> {
  try {
    const read = await hashStored(store, key, context)
    return read ? read.digest : 'gone'
  } catch (error) {
    if (!(error instanceof SideError)) throw error
    await store.clock({ signal: context.signal })
    return null
  }
}
