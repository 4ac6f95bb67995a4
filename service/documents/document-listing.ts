import { limits } from '../limits.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import type { Document, ListedVersion } from '../wire/answers.ts'
import type { DocumentRef } from '../wire/names.ts'
import type { Cursors } from './cursor.ts'
import { listPrefix, versionKey } from './document-key.ts'
import type { ListQuery } from './documents.ts'
import { inParallel } from './in-parallel.ts'
import type { TagStore } from './tag-store.ts'
import { compareNewestFirst, eachVersion, toListedVersion, toStoredVersion } from './version-index.ts'
import { versionNotFound } from './version-reader.ts'

/** One page in the store's order; costs one list call. */
export async function listDocuments(
  store: ObjectStore,
  cursors: Cursors,
  query: ListQuery,
  signal?: AbortSignal,
): Promise<{ documents: ListedVersion[]; nextCursor: string | null }> {
  const { tenant, type = '', name = '', namePrefix = '', limit } = query
  const scope = ['documents', tenant, type, name, namePrefix]
  const prefix = listPrefix(query)
  // The cursor holds what follows the prefix: it names nothing that its holder was not told.
  const startAfter = query.cursor === undefined ? undefined : prefix + cursors.open(scope, query.cursor)
  const page = await store.list({ prefix, startAfter, limit, signal })
  const last = page.truncated ? page.objects.at(-1) : undefined
  return {
    documents: page.objects.map(toListedVersion).filter((version) => version !== null),
    nextCursor: last ? cursors.seal(scope, last.key.slice(prefix.length)) : null,
  }
}

/**
 * One page of a document's versions, newest first. The store lists by digest, so every page reads the whole
 * list (a call per thousand versions) and keeps no more than it returns, then asks for the metadata of its rows.
 */
export async function listVersions(
  store: ObjectStore,
  tags: TagStore,
  cursors: Cursors,
  ref: DocumentRef,
  page: { limit: number; cursor?: string | undefined },
  signal?: AbortSignal,
): Promise<{ versions: Document[]; nextCursor: string | null }> {
  const scope = ['versions', ref.tenant, ref.type, ref.name]
  const after = page.cursor === undefined ? null : parsePosition(ref, cursors.open(scope, page.cursor))
  const { rows, more } = await newestRows(store, ref, after, page.limit, signal)
  if (rows.length === 0 && !after) throw versionNotFound()
  const tagsOf = Map.groupBy(await tags.readAll(ref, signal), ({ digest }) => digest)
  const versions = await inParallel(
    rows,
    limits.callsPerRequestMax,
    async (row): Promise<Document | null> => {
      const info = await store.head(versionKey(row), { signal })
      return (
        info && { ...toStoredVersion(row, info), tags: (tagsOf.get(row.digest) ?? []).map(({ tag }) => tag) }
      )
    },
  )
  const last = more ? rows.at(-1) : undefined
  return {
    // One that was deleted since the listing is none.
    versions: versions.filter((version) => version !== null),
    nextCursor: last ? cursors.seal(scope, `${last.storedAt} ${last.digest}`) : null,
  }
}

async function newestRows(
  store: ObjectStore,
  ref: DocumentRef,
  after: ListedVersion | null,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<{ rows: ListedVersion[]; more: boolean }> {
  let rows: ListedVersion[] = []
  const keep = limit + 1
  for await (const version of eachVersion(store, ref, signal)) {
    if (after && compareNewestFirst(version, after) <= 0) continue
    rows.push(version)
    // Sorting only now and then keeps both the memory and the work per version small.
    if (rows.length >= keep * 8) rows = rows.sort(compareNewestFirst).slice(0, keep)
  }
  rows = rows.sort(compareNewestFirst).slice(0, keep)
  return { rows: rows.slice(0, limit), more: rows.length > limit }
}

function parsePosition(ref: DocumentRef, position: string): ListedVersion {
  const [storedAt = '', digest = ''] = position.split(' ')
  return { ...ref, digest: digest as ListedVersion['digest'], storedAt, size: 0 }
}
