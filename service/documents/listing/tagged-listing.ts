import { limits } from '../../limits.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { StoreCapabilities } from '../../object-store/store-capabilities.ts'
import type { Tag } from '../../wire/answers.ts'
import { parseTagRowKey, taggedPrefix } from '../document-key.ts'
import { tagOf } from '../document-record.ts'
import type { Documents } from '../documents.ts'
import { inParallel } from '../in-order.ts'
import type { Records } from '../record-store.ts'
import { toTag } from '../tag-moves.ts'
import type { Cursors } from './cursor.ts'
import { openPlace, readListPage, sealPlace } from './list-pages.ts'

export interface TaggedListingParts {
  store: Pick<ObjectStore, 'list'>
  records: Pick<Records, 'read'>
  cursors: Cursors
  capabilities: () => StoreCapabilities
}

/**
 * Returns the call that lists the documents of a type that have a tag (ARCHITECTURE.md, "The index of tags"): one list
 * call for a page, and a read of the record for each row, which decides whether the row counts.
 */
export function createTaggedListing({
  store,
  records,
  cursors,
  capabilities,
}: TaggedListingParts): Pick<Documents, 'tagged'> {
  async function confirmed(key: string, signal: AbortSignal | undefined): Promise<Tag | null> {
    const parsed = parseTagRowKey(key)
    if (!parsed) return null
    const { ref, row } = parsed
    const entry = tagOf(await records.read(ref, signal), ref.tag)
    // By its row, so that a document counts once, although a write that was lost may have left another row.
    return entry?.row === row ? toTag(ref, ref.tag, entry) : null
  }

  return {
    async tagged({ tenant, type, tag, namePrefix = '', limit, cursor }, signal) {
      const scope = ['tagged', tenant, type, tag, namePrefix]
      const from = openPlace(cursors, scope, cursor)
      const prefix = taggedPrefix({ tenant, type, tag, namePrefix })
      const { startAfterExact } = capabilities()
      const { rows, next } = await readListPage(store, { prefix, limit, from, startAfterExact, signal })
      const read = await inParallel(rows, limits.callsPerRequestMax, ({ key }) => confirmed(key, signal))
      return {
        documents: read.filter((row) => row !== null),
        nextCursor: sealPlace(cursors, scope, next),
      }
    },
  }
}
