import { limits } from '../../limits.ts'
import { type Digest, latestTag } from '../../wire/names.ts'
import { type Deletion, type DocumentRecord, markOf, type TagEntry, tagOf } from '../document-record.ts'

/**
 * - `copied`: the record had no such tag; `moved`: the record's was older.
 * - `present`: there already, at the same version.
 * - `kept`: the record's is newer, or as old, and points elsewhere.
 * - `withheld`: its version is not there, so it would point to nothing.
 * - `exhausted`: the record has as many tags as it may have.
 */
export type TagMerge = 'copied' | 'moved' | 'present' | 'kept' | 'withheld' | 'exhausted'

/** What became of one tag of the other record. */
export interface MergedTag {
  tag: string
  result: TagMerge
  source: TagEntry
  /** The record's before this. */
  target: TagEntry | null
}

export interface Merged {
  /** The same object as before where the other record adds nothing. */
  record: DocumentRecord
  tags: MergedTag[]
}

/**
 * Merges the record of another store, or of the old layout, into a record. The later move of a tag wins, by the clocks
 * of the services that moved them. So does the later move of `latest`, with the order of the versions behind it. Marks
 * are not taken over: they belong to the store that the deletion was sent to.
 *
 * Decision: times are compared, since two stores have no other order. Revisit if both take writes at once on purpose.
 *
 * @param holds returns whether a version is in the store of the record, and not being deleted there.
 */
export function merged(
  into: DocumentRecord,
  from: DocumentRecord,
  holds: (digest: Digest) => boolean,
): Merged {
  const tags = { ...into.tags }
  const results: MergedTag[] = []
  for (const [tag, source] of Object.entries(from.tags)) {
    const target = tagOf({ tags }, tag) ?? null
    const result = resultOf({ tag, source, target }, holds, tags)
    if (result === 'copied' || result === 'moved') define(tags, tag, source)
    results.push({ tag, result, source, target })
  }
  const record = {
    ...into,
    tags,
    order: mergedOrder(into, from, { holds, latest: tagOf({ tags }, latestTag) }),
    deleted: mergedDeletions(into, from, holds),
  }
  return { record: Bun.deepEquals(record, into) ? into : record, tags: results }
}

/** Returns whether a move of a tag is later than another one. */
export function isLater(one: TagEntry, other: TagEntry): boolean {
  return Date.parse(one.movedAt) > Date.parse(other.movedAt)
}

function resultOf(
  { tag, source, target }: Pick<MergedTag, 'tag' | 'source' | 'target'>,
  holds: (digest: Digest) => boolean,
  tags: DocumentRecord['tags'],
): TagMerge {
  if (target && !isLater(source, target)) return source.digest === target.digest ? 'present' : 'kept'
  if (!holds(source.digest)) return 'withheld'
  if (target) return 'moved'
  const others = Object.keys(tags).filter((other) => other !== latestTag).length
  return tag !== latestTag && others >= limits.tagsPerNameMax ? 'exhausted' : 'copied'
}

/** The order of the record whose `latest` won comes last; what only the other one knows goes before it. */
function mergedOrder(
  into: DocumentRecord,
  from: DocumentRecord,
  { holds, latest }: { holds: (digest: Digest) => boolean; latest: TagEntry | undefined },
): Digest[] {
  const theirs = from.order.filter(holds)
  const theyWon = latest !== undefined && latest.id !== tagOf(into, latestTag)?.id
  const order = theyWon
    ? movedBehind(into.order, movedBehind(theirs, [latest.digest]))
    : movedBehind(theirs, into.order)
  return order.slice(-limits.recordOrderMax)
}

function movedBehind(older: readonly Digest[], newer: readonly Digest[]): Digest[] {
  return [...older.filter((digest) => !newer.includes(digest)), ...newer]
}

/** Every deletion that either has noted, the later one of each version; not of a version that is there, or marked. */
function mergedDeletions(
  into: DocumentRecord,
  from: DocumentRecord,
  holds: (digest: Digest) => boolean,
): Deletion[] {
  const noted = new Map(into.deleted.map((deletion) => [deletion.digest, deletion]))
  for (const deletion of from.deleted) {
    const { digest, at } = deletion
    const known = noted.get(digest)
    if (known ? Date.parse(known.at) >= Date.parse(at) : holds(digest) || markOf(into, digest)) continue
    noted.set(digest, deletion)
  }
  return [...noted.values()]
    .sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
    .slice(-limits.recordDeletionsMax)
}

/** A tag may be named `__proto__`. */
function define(tags: DocumentRecord['tags'], tag: string, value: TagEntry): void {
  Object.defineProperty(tags, tag, { value, enumerable: true, configurable: true, writable: true })
}
