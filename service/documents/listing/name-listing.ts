import { limits } from '../../limits.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ListedName, ListedType } from '../../wire/answers.ts'
import { type DocumentRef, isDocumentRef, isDocumentType, latestTag } from '../../wire/names.ts'
import { DocumentError } from '../document-error.ts'
import { listPrefix } from '../document-key.ts'
import type { Documents } from '../documents.ts'
import { inParallel } from '../in-order.ts'
import type { Cursors } from './cursor.ts'
import { openPlace, readPrefixPage, sealPlace } from './list-pages.ts'

export interface NameListingParts {
  store: Pick<ObjectStore, 'listPrefixes'>
  cursors: Cursors
  /** The calls that the rows of a page are completed by. */
  documents: Pick<Documents, 'tags' | 'head'>
}

interface FolderQuery {
  prefix: string
  limit: number
  scope: readonly string[]
  cursor: string | undefined
}

/**
 * Returns the calls that list the types and the names of a tenant. Both are folders of the key scheme, so a page costs
 * one list call, however many versions there are.
 */
export function createNameListing({
  store,
  cursors,
  documents,
}: NameListingParts): Pick<Documents, 'types' | 'names'> {
  /** Returns the last segments of the folders on a page. */
  async function folders(query: FolderQuery, signal: AbortSignal | undefined) {
    const { prefix, limit, scope, cursor } = query
    const from = openPlace(cursors, scope, cursor)
    const { rows, next } = await readPrefixPage(store, { prefix, limit, from, signal })
    const segments = rows.map((row) => row.slice(row.lastIndexOf('/', row.length - 2) + 1, -1))
    return { segments, nextCursor: sealPlace(cursors, scope, next) }
  }

  async function withLatest(ref: DocumentRef, signal: AbortSignal | undefined): Promise<ListedName> {
    const latest = await ifThere(async () => {
      const tags = await documents.tags(ref, signal)
      const digest = tags.find(({ tag }) => tag === latestTag)?.digest
      if (digest === undefined) return null
      const version = await documents.head({ ...ref, digest }, signal)
      const pointing = tags.filter((tag) => tag.digest === digest)
      return { ...version, tags: pointing.map(({ tag }) => tag) }
    })
    return { ...ref, latest }
  }

  async function withTags(ref: DocumentRef, signal: AbortSignal | undefined): Promise<ListedName> {
    return { ...ref, tags: (await ifThere(() => documents.tags(ref, signal))) ?? [] }
  }

  return {
    async types({ tenant, limit, cursor }, signal) {
      const query = { prefix: listPrefix({ tenant }), limit, scope: ['types', tenant], cursor }
      const { segments, nextCursor } = await folders(query, signal)
      // Folders of other programs are not types.
      const types = segments.filter(isDocumentType).map((type): ListedType => ({ tenant, type }))
      return { types, nextCursor }
    },

    async names({ tenant, type, namePrefix = '', include, limit, cursor }, signal) {
      const scope = ['names', tenant, type, namePrefix]
      const prefix = listPrefix({ tenant, type, namePrefix })
      const { segments, nextCursor } = await folders({ prefix, limit, scope, cursor }, signal)
      const refs = segments.map((name) => ({ tenant, type, name })).filter(isDocumentRef)
      if (include === undefined) return { names: refs, nextCursor }
      const complete = include === 'latest' ? withLatest : withTags
      const names = await inParallel(refs, limits.callsPerRequestMax, (ref) => complete(ref, signal))
      return { names, nextCursor }
    },
  }
}

/** Returns `null` where the document, or its version, has been deleted since it was listed. */
async function ifThere<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof DocumentError && error.code === 'document_not_found') return null
    throw error
  }
}
