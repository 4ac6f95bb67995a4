import { type Static, Type } from '@sinclair/typebox'
import { limits } from '../limits.ts'
import { type Digest, digestPattern, latestTag } from '../wire/names.ts'
import { DocumentError } from './document-error.ts'

/**
 * The record of a document: the one object that decides what its tags point to and which of its versions are being
 * deleted (ARCHITECTURE.md, "The record"). This file is what it holds and how it changes; every change is a pure
 * function from one record to the next. `record-store.ts` reads and writes it.
 */

const DigestType = Type.Unsafe<Digest>(Type.String({ pattern: digestPattern }))

/** Where a tag points, since when, and by whom. */
export const TagEntry = Type.Object({
  digest: DigestType,
  /** RFC 3339, by the clock of the replica that moved it; for people, never compared. */
  movedAt: Type.String(),
  movedBy: Type.String(),
  /** Names the move: the ETag of the tag. */
  id: Type.String(),
  /** Its row in the index of tags. `latest` has none, nor has a tag that was moved before there was an index. */
  row: Type.Optional(Type.String()),
})
export type TagEntry = Static<typeof TagEntry>

/** A deletion that has begun. Until it ends, no upload and no tag can make the version count again. */
export const DeletionMark = Type.Object({
  /** Names the attempt. */
  id: Type.String(),
  /** The store accepts no DELETE of this attempt after this time, by its own clock (RFC 3339). */
  until: Type.String(),
  by: Type.String(),
})
export type DeletionMark = Static<typeof DeletionMark>

/** A deletion that has ended, of a version that no later upload has brought back. */
export const Deletion = Type.Object({
  digest: DigestType,
  /** RFC 3339, by the store's clock. */
  at: Type.String(),
  by: Type.String(),
  /** Names the attempt that removed it. */
  id: Type.String(),
})
export type Deletion = Static<typeof Deletion>

/** What is stored under a record's key. */
export const DocumentRecord = Type.Object({
  format: Type.Literal(1),
  /** Grows by one with every write, so that no two states have the same bytes, and so none the same ETag. */
  revision: Type.Integer({ minimum: 0 }),
  /** By the name of the tag; `latest` is one of them. */
  tags: Type.Record(Type.String(), TagEntry),
  /** The versions that were latest, each once, the most recent one last: `limits.recordOrderMax` at most. */
  order: Type.Array(DigestType),
  /** Ids of the last writes and completed tickets, the most recent one last: `limits.recordChangesMax` at most. */
  changes: Type.Array(Type.String()),
  /** By the digest of the version. */
  deleting: Type.Record(Type.String(), DeletionMark),
  /** The most recent one last: `limits.recordDeletionsMax` at most, none older than `limits.recordDeletionDays`. */
  deleted: Type.Array(Deletion),
})
export type DocumentRecord = Static<typeof DocumentRecord>

/** The record of a document that has none yet. */
export const emptyRecord: DocumentRecord = {
  format: 1,
  revision: 0,
  tags: {},
  order: [],
  changes: [],
  deleting: {},
  deleted: [],
}

/** Returns a new name for a move, a write or an attempt: 128 random bits in hexadecimal. */
export function newChangeId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex')
}

/** Returns the names of the tags that point to a version, ascending. */
export function tagsPointingTo({ tags }: DocumentRecord, digest: Digest): string[] {
  return Object.keys(tags)
    .filter((tag) => tags[tag]?.digest === digest)
    .sort()
}

/** Returns where a tag points, or `undefined`. A tag may be named like a property of every object, such as `constructor`. */
export function tagOf({ tags }: Pick<DocumentRecord, 'tags'>, tag: string): TagEntry | undefined {
  return Object.hasOwn(tags, tag) ? tags[tag] : undefined
}

/** Returns the mark of a deletion under way, or `undefined`. */
export function markOf({ deleting }: DocumentRecord, digest: Digest): DeletionMark | undefined {
  return deleting[digest]
}

/** Returns the deletion that the record notes for a version, or `undefined` if it notes none. */
export function deletionOf({ deleted }: DocumentRecord, digest: Digest): Deletion | undefined {
  return deleted.findLast((deletion) => deletion.digest === digest)
}

/** Returns whether a version must not become the latest by itself: it is being deleted, or was. */
export function isDeletedOrDeleting(record: DocumentRecord, digest: Digest): boolean {
  return markOf(record, digest) !== undefined || deletionOf(record, digest) !== undefined
}

/**
 * Returns the record after an upload was acknowledged: its version is the latest.
 *
 * @param completed id of the ticket, if the upload came by one.
 */
export function withUpload(
  record: DocumentRecord,
  { digest, by, completed }: { digest: Digest; by: string; completed?: string | undefined },
): DocumentRecord {
  const moved = withTag(record, latestTag, { digest, by })
  return completed === undefined ? moved : { ...moved, changes: [...moved.changes, completed] }
}

/**
 * Returns the record after a move of a tag. The version counts as not deleted; a move of `latest` counts like an
 * acknowledged upload.
 *
 * @throws {DocumentError} `tags_exhausted` for a new tag beyond `limits.tagsPerNameMax`.
 */
export function withTag(
  record: DocumentRecord,
  tag: string,
  { digest, by, id = newChangeId() }: { digest: Digest; by: string; id?: string },
): DocumentRecord {
  const isNew = tagOf(record, tag) === undefined
  // `latest` always has its place.
  if (isNew && tag !== latestTag && ownTags(record) >= limits.tagsPerNameMax) throw tagsExhausted()
  const entry = { digest, movedAt: new Date().toISOString(), movedBy: by, id }
  return {
    ...record,
    tags: { ...record.tags, [tag]: entry },
    order: tag === latestTag ? lastOf(record.order, digest) : record.order,
    deleted: record.deleted.filter((deletion) => deletion.digest !== digest),
  }
}

/** Returns the record without a tag. */
export function withoutTag(record: DocumentRecord, tag: string): DocumentRecord {
  const { [tag]: _, ...tags } = record.tags
  return { ...record, tags }
}

/**
 * Returns the record with a version marked as being deleted.
 *
 * @param latest where `latest` points from now on, `null` for nowhere; only for a version that is the latest.
 * @throws {DocumentError} `busy` if too many deletions of this document wait for their end.
 */
export function withMark(
  record: DocumentRecord,
  digest: Digest,
  { mark, latest }: { mark: DeletionMark; latest: Digest | null },
): DocumentRecord {
  const deleting = { ...record.deleting, [digest]: mark }
  if (Object.keys(deleting).length > limits.recordMarksMax) throw tooManyDeletions()
  if (record.tags[latestTag]?.digest !== digest) return { ...record, deleting }
  return { ...withLatest(record, latest, mark.by), deleting }
}

/** Returns the record after the marked version was deleted. */
export function withDeletion(record: DocumentRecord, deletion: Deletion): DocumentRecord {
  const { digest } = deletion
  const { [digest]: _, ...deleting } = record.deleting
  const oldest = Date.parse(deletion.at) - limits.recordDeletionDays * dayMilliseconds
  const kept = record.deleted.filter(({ digest: other, at }) => other !== digest && Date.parse(at) >= oldest)
  return {
    ...record,
    deleting,
    order: record.order.filter((other) => other !== digest),
    deleted: [...kept, deletion].slice(-limits.recordDeletionsMax),
  }
}

/** Returns the record after a deletion was refused by the store: the version counts again, as the latest if it was. */
export function withoutMark(record: DocumentRecord, digest: Digest): DocumentRecord {
  const { [digest]: mark, ...deleting } = record.deleting
  const unmarked = { ...record, deleting }
  const newest = unmarked.order.findLast((other) => deleting[other] === undefined) ?? null
  if (newest === null || unmarked.tags[latestTag]?.digest === newest) return unmarked
  return withLatest(unmarked, newest, mark?.by ?? '')
}

/** Returns the record as it is to be written: its revision has grown, the write is noted, and the lists are bounded. */
export function sealed(record: DocumentRecord, writeId: string): DocumentRecord {
  return {
    ...record,
    revision: record.revision + 1,
    changes: [...record.changes, writeId].slice(-limits.recordChangesMax),
    order: record.order.slice(-limits.recordOrderMax),
  }
}

const dayMilliseconds = 24 * 60 * 60 * 1000

/** Unlike an upload, this does not change the order: the version keeps its place. */
function withLatest(record: DocumentRecord, digest: Digest | null, by: string): DocumentRecord {
  if (digest === null) return withoutTag(record, latestTag)
  const entry = { digest, movedAt: new Date().toISOString(), movedBy: by, id: newChangeId() }
  return { ...record, tags: { ...record.tags, [latestTag]: entry } }
}

function ownTags({ tags }: DocumentRecord): number {
  return Object.keys(tags).length - (tags[latestTag] === undefined ? 0 : 1)
}

function lastOf(order: readonly Digest[], digest: Digest): Digest[] {
  return [...order.filter((other) => other !== digest), digest]
}

function tagsExhausted(): DocumentError {
  return new DocumentError(
    'tags_exhausted',
    `A document has at most ${limits.tagsPerNameMax} tags. Remove one that is no longer needed.`,
    { tagsMax: limits.tagsPerNameMax },
  )
}

function tooManyDeletions(): DocumentError {
  return new DocumentError(
    'busy',
    'Too many deletions of versions of this document are under way. Try again later.',
    {},
    { retryAfterSeconds: limits.deletionAcceptedSeconds },
  )
}
