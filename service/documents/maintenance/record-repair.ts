import type { ListedVersion } from '../../wire/answers.ts'
import { type Digest, latestTag } from '../../wire/names.ts'
import { type DocumentRecord, deletionOf, markOf, tagOf, withTag } from '../document-record.ts'
import { compareNewestFirst } from '../listing/version-pages.ts'

/** What is wrong between a record and the versions of its document. */
export interface RecordDefects {
  /** Tags that point to a version that is not there, ascending. */
  danglingTags: string[]
  /** Versions that the record counts among the latest ones, and that are not there. */
  lostVersions: Digest[]
  /** The document has versions, and no `latest`. */
  withoutLatest: boolean
}

/**
 * Returns what is wrong with a record, `null` if nothing is.
 *
 * @param versions all versions of the document.
 */
export function defectsOf(record: DocumentRecord, versions: readonly ListedVersion[]): RecordDefects | null {
  const isThere = presence(versions)
  const danglingTags = Object.entries(record.tags).flatMap(([tag, { digest }]) =>
    isThere(digest) ? [] : [tag],
  )
  const lostVersions = record.order.filter((digest) => !isThere(digest) && !markOf(record, digest))
  const withoutLatest = !tagOf(record, latestTag) && newestOf(record, versions) !== null
  const isSound = danglingTags.length === 0 && lostVersions.length === 0 && !withoutLatest
  return isSound ? null : { danglingTags: danglingTags.sort(), lostVersions, withoutLatest }
}

/**
 * Returns the record without tags that point to nothing, and with a `latest` if the document has versions: the one that
 * the record notes as acknowledged last, or the newest. A sound record is returned as it is.
 *
 * @param by subject that the move of `latest` names.
 */
export function repaired(
  record: DocumentRecord,
  versions: readonly ListedVersion[],
  by: string,
): DocumentRecord {
  if (defectsOf(record, versions) === null) return record
  const isThere = presence(versions)
  const tags = Object.fromEntries(Object.entries(record.tags).filter(([, { digest }]) => isThere(digest)))
  const order = record.order.filter((digest) => isThere(digest) || markOf(record, digest))
  const sound = { ...record, tags, order }
  const newest = tagOf(sound, latestTag) ? null : newestOf(sound, versions)
  return newest === null ? sound : withTag(sound, latestTag, { digest: newest, by })
}

function newestOf(record: DocumentRecord, versions: readonly ListedVersion[]): Digest | null {
  const counts = (digest: Digest) => !markOf(record, digest) && !deletionOf(record, digest)
  const isThere = presence(versions)
  const noted = record.order.findLast((digest) => isThere(digest) && counts(digest))
  const newestFirst = versions.filter(({ digest }) => counts(digest)).sort(compareNewestFirst)
  return noted ?? newestFirst[0]?.digest ?? null
}

function presence(versions: readonly ListedVersion[]): (digest: Digest) => boolean {
  const there = new Set(versions.map(({ digest }) => digest))
  return (digest) => there.has(digest)
}
