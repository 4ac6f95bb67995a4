import { limits } from '../../limits.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { StoreCapabilities } from '../../object-store/store-capabilities.ts'
import type { Document, ListedVersion } from '../../wire/answers.ts'
import type { Digest, DocumentRef } from '../../wire/names.ts'
import { versionNotFound } from '../document-error.ts'
import { listPrefix, versionKey } from '../document-key.ts'
import { tagsPointingTo } from '../document-record.ts'
import type { Documents } from '../documents.ts'
import { inParallel } from '../in-order.ts'
import type { Records } from '../record-store.ts'
import { toStoredVersion } from '../stored-version.ts'
import type { Cursors } from './cursor.ts'
import { openPlace, readListPage, sealPlace } from './list-pages.ts'
import { createVersionLists } from './version-lists.ts'
import { toListedVersion } from './version-pages.ts'

export interface ListingParts {
  store: ObjectStore
  records: Records
  cursors: Cursors
  capabilities: () => StoreCapabilities
  /** Receives how many objects a page has left out whose keys are not those of versions. */
  onForeignObjects?: ((objects: number) => void) | undefined
}

/** Returns the calls that answer one page of a list. */
export function createListing({
  store,
  records,
  cursors,
  capabilities,
  onForeignObjects = () => {},
}: ListingParts): Pick<Documents, 'list' | 'versions'> {
  const lists = createVersionLists(store)
  return {
    async list(query, signal) {
      const { tenant, type = '', name = '', namePrefix = '', limit } = query
      const scope = ['documents', tenant, type, name, namePrefix]
      const from = openPlace(cursors, scope, query.cursor)
      const { startAfterExact } = capabilities()
      const prefix = listPrefix(query)
      const { rows, next } = await readListPage(store, { prefix, limit, from, startAfterExact, signal })
      const documents = rows.map(toListedVersion).filter((version) => version !== null)
      if (documents.length < rows.length) onForeignObjects(rows.length - documents.length)
      return {
        documents,
        nextCursor: sealPlace(cursors, scope, next),
      }
    },

    async versions(ref, { limit, cursor }, signal) {
      const scope = ['versions', ref.tenant, ref.type, ref.name]
      const after = cursor === undefined ? null : parsePosition(ref, cursors.open(scope, cursor))
      const rows = await lists.read(ref, { limit: limit + 1, after, signal })
      if (rows.length === 0 && !after) throw versionNotFound()
      const record = await records.read(ref, signal)
      const describe = async (row: ListedVersion): Promise<Document | null> => {
        const info = await store.head(versionKey(row), { signal })
        return info && { ...toStoredVersion(row, info), tags: tagsPointingTo(record, row.digest) }
      }
      const page = rows.slice(0, limit)
      const versions = await inParallel(page, limits.callsPerRequestMax, describe)
      const last = rows.length > limit ? page.at(-1) : undefined
      return {
        // `null`: deleted since the listing.
        versions: versions.filter((version) => version !== null),
        nextCursor: last ? cursors.seal(scope, `${last.storedAt} ${last.digest}`) : null,
      }
    },
  }
}

/** Reads the position of a `versions` cursor, which only this service can have made. */
function parsePosition(ref: DocumentRef, position: string): ListedVersion {
  const [storedAt = '', digest = ''] = position.split(' ')
  return { ...ref, digest: digest as Digest, storedAt, size: 0 }
}
