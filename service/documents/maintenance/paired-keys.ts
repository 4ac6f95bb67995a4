import { limits } from '../../limits.ts'
import { eachObject, objectsAfter } from '../../object-store/each-object.ts'
import type { CallOptions, ListedObject, ObjectStore } from '../../object-store/object-store.ts'
import { parseTagRowKey, parseVersionKey, tenantsPrefix, versionsPrefix } from '../document-key.ts'
import { inOrder } from '../in-order.ts'
import type { Tally } from './recount.ts'

/** One key, and what each of two stores has under it; at least one of them has something. */
export interface PairedKey {
  key: string
  source: ListedObject | null
  target: ListedObject | null
}

export interface PairingOptions extends CallOptions {
  /** Key of the source to continue after; default: from the first key. */
  after?: string | undefined
  /** Count what the source and, where all of it is listed, the target has. */
  tallies?: { source?: Tally | undefined; target?: Tally | undefined } | undefined
}

/**
 * Yields everything that the source keeps of tenants, in its own order, with what the target has under the same keys.
 * What is in staging is not a document yet and is left out.
 *
 * Decision: the two listings are not merged, because stores order keys differently (SeaweedFS lists folder by folder),
 * and a merge that expects one order takes keys for absent. Instead the target is asked for each document of the
 * source: a list call per document, some at once, against the calls that a document costs anyway. That is right for
 * any order, and holds the keys of a few documents in memory. Revisit when repeated runs over millions of documents
 * are too slow.
 *
 * @throws {ObjectStoreError} if one of them fails: continue after the last key that was yielded.
 */
export async function* keysOfSource(
  source: ObjectStore,
  target: ObjectStore,
  { after, tallies, signal }: PairingOptions = {},
): AsyncGenerator<PairedKey> {
  const listing = () => counted(eachObject(source, tenantsPrefix, { signal }), tallies?.source)
  for await (const { here, there } of lookedUp(objectsAfter(listing, after), target, signal)) {
    yield { key: here.key, source: here, target: there }
  }
}

/**
 * Yields everything that two stores keep of tenants: first what the source has, as {@link keysOfSource} does, then what
 * only the target has, in its order.
 *
 * @throws {ObjectStoreError} if one of them fails.
 */
export async function* pairedKeys(
  source: ObjectStore,
  target: ObjectStore,
  { tallies, signal }: Omit<PairingOptions, 'after'> = {},
): AsyncGenerator<PairedKey> {
  yield* keysOfSource(source, target, { tallies, signal })
  const targets = counted(eachObject(target, tenantsPrefix, { signal }), tallies?.target)
  for await (const { here, there } of lookedUp(targets, source, signal)) {
    if (!there) yield { key: here.key, source: null, target: here }
  }
}

function counted(objects: AsyncGenerator<ListedObject>, tally: Tally | undefined) {
  return tally?.of(objects) ?? objects
}

interface LookedUp {
  here: ListedObject
  there: ListedObject | null
}

async function* lookedUp(
  objects: AsyncIterable<ListedObject>,
  other: ObjectStore,
  signal: AbortSignal | undefined,
): AsyncGenerator<LookedUp> {
  const parallelMax = limits.callsPerRequestMax
  for await (const pairs of inOrder(groups(objects), { parallelMax, aheadMax: parallelMax }, lookUp))
    yield* pairs

  async function lookUp({ prefix, members }: Group): Promise<LookedUp[]> {
    const wanted = new Set(members.map(({ key }) => key))
    const found = new Map<string, ListedObject>()
    for await (const object of eachObject(other, prefix, { signal })) {
      if (wanted.has(object.key)) found.set(object.key, object)
      if (found.size === wanted.size) break
    }
    return members.map((here) => ({ here, there: found.get(here.key) ?? null }))
  }
}

/** Objects that follow each other, and whose keys begin with `prefix`. */
interface Group {
  prefix: string
  members: ListedObject[]
}

/** All versions of a document are one group; any other key stands alone. */
async function* groups(objects: AsyncIterable<ListedObject>): AsyncGenerator<Group> {
  let group: Group = { prefix: '', members: [] }
  for await (const object of objects) {
    // The index of tags follows the records of its own store.
    if (parseTagRowKey(object.key)) continue
    const version = parseVersionKey(object.key)
    const prefix = version ? versionsPrefix(version) : object.key
    if (group.prefix !== prefix) {
      if (group.members.length > 0) yield group
      group = { prefix, members: [] }
    }
    group.members.push(object)
  }
  if (group.members.length > 0) yield group
}
