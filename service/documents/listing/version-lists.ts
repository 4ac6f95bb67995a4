import { LRUCache } from 'lru-cache'
import { limits } from '../../limits.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ListedVersion } from '../../wire/answers.ts'
import type { DocumentRef } from '../../wire/names.ts'
import { DocumentError } from '../document-error.ts'
import { versionsPrefix } from '../document-key.ts'
import { compareNewestFirst, newestVersions } from './version-pages.ts'

/**
 * The versions of documents, newest first, for pages that follow each other: what a listing has found beyond its page is
 * kept for the next ones, so that not each of them reads the keys of all versions again.
 */
export interface VersionLists {
  /**
   * Returns the versions that follow a position. From the beginning, they are read from the store; the ones that follow
   * may be those of the last reading, in which nothing newer is missing, and the caller sees which are gone.
   *
   * @param page.after the last version of the page before, `null` for the first page.
   * @param page.limit how many to return at most.
   * @throws {DocumentError} `versions_exhausted` for a document with more than `listedMax` versions.
   */
  read(ref: DocumentRef, page: VersionsPage): Promise<ListedVersion[]>
}

/** Which versions are asked for. */
export interface VersionsPage {
  limit: number
  after: ListedVersion | null
  signal?: AbortSignal | undefined
}

/** A part of the versions of a document, in their order and without gaps. */
interface Kept {
  after: ListedVersion | null
  rows: readonly ListedVersion[]
  /** Nothing follows. */
  isEnd: boolean
}

export interface VersionListsOptions {
  /** Rows that are kept of one listing, and at least those of a page; default: `limits.versionRowsKeptMax`. */
  rowsMax?: number
  /** Default: `limits.versionsListedMax`. */
  listedMax?: number
}

/** Returns the lists of versions of this replica. */
export function createVersionLists(
  store: Pick<ObjectStore, 'list'>,
  { rowsMax = limits.versionRowsKeptMax, listedMax = limits.versionsListedMax }: VersionListsOptions = {},
): VersionLists {
  const cache = new LRUCache<string, Kept>({
    maxSize: limits.versionRowsCacheMax,
    sizeCalculation: ({ rows }) => rows.length,
    ttl: limits.versionRowsKeptSeconds * 1000,
    updateAgeOnGet: true,
  })

  return {
    async read(ref, { limit, after, signal }) {
      const key = versionsPrefix(ref)
      const known = after && rowsAfter(after, limit, cache.get(key))
      if (known) return known
      const found = await newestVersions(store, ref, {
        limit: rowsMax,
        after,
        signal,
        onListed(count) {
          if (count > listedMax) throw tooManyVersions(listedMax)
        },
      })
      if (found.length > limit) cache.set(key, { after, rows: found, isEnd: found.length < rowsMax })
      return found.slice(0, limit)
    },
  }
}

/** Returns what follows a position, or `null` if that is not known as a whole. */
function rowsAfter(after: ListedVersion, limit: number, kept: Kept | undefined): ListedVersion[] | null {
  if (!kept || (kept.after && compareNewestFirst(after, kept.after) < 0)) return null
  const first = kept.rows.findIndex((row) => compareNewestFirst(row, after) > 0)
  const rows = first < 0 ? [] : kept.rows.slice(first, first + limit)
  return rows.length === limit || kept.isEnd ? rows : null
}

function tooManyVersions(versionsMax: number): DocumentError {
  return new DocumentError(
    'versions_exhausted',
    `This document has more than ${versionsMax} versions, too many to sort by time. List them with "type" and "name" instead.`,
    { versionsMax },
  )
}
