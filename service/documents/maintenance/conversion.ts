import { eachObject } from '../../object-store/each-object.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { DocumentRef, TagRef } from '../../wire/names.ts'
import { tenantsPrefix } from '../document-key.ts'
import { markOf } from '../document-record.ts'
import { inOrder } from '../in-order.ts'
import { createRecords, type Records } from '../record-store.ts'
import { changeByFacts } from './change-by-facts.ts'
import { isFailureOf } from './failure.ts'
import { oldTagKey, oldTagsPrefix, parseOldTagKey, readOldTags, recordOfOldTags } from './old-layout.ts'
import { merged } from './record-merge.ts'
import { repaired } from './record-repair.ts'
import { versionsOf } from './versions-of.ts'

/**
 * - `converted`: the record holds it; in a dry run: would hold it. Also if the record has a later move of this tag.
 * - `dangling`: it points to a version that is not there. It read as absent, and is dropped.
 * - `gone`: removed since it was listed.
 *
 * The others stay where they are, for people to look at:
 * - `damaged`: its text is not a tag's.
 * - `exhausted`: the record has as many tags as it may have.
 * - `busy`: its version is being deleted, or other clients keep changing the record.
 * - `record damaged`: the record of the document cannot be read.
 */
export type ConvertedResult =
  | 'converted'
  | 'dangling'
  | 'gone'
  | 'damaged'
  | 'exhausted'
  | 'busy'
  | 'record damaged'

/** What became of the tags of one document. */
export interface Converted {
  ref: DocumentRef
  tags: { tag: string; result: ConvertedResult }[]
}

export interface ConversionOptions {
  /** Writes and removes nothing. */
  dryRun?: boolean | undefined
  /** Documents that are worked on at once. */
  parallelMax: number
  signal?: AbortSignal | undefined
}

/** Named in records as the one who moved what was moved. */
const subject = 'convert'

/**
 * Turns the tags of the old layout into records, in place. A tag is removed once the record holds it, so this can be
 * stopped and repeated at any time, and the service may run: it decides between this and an upload as between any two
 * clients.
 *
 * @throws {ObjectStoreError} if the store fails: run it again.
 */
export async function* convert(store: ObjectStore, options: ConversionOptions): AsyncGenerator<Converted> {
  const { parallelMax, signal } = options
  const records = createRecords(store)
  yield* inOrder(oldTagsIn(store, signal), { parallelMax, aheadMax: parallelMax * 16 }, (tags) =>
    convertDocument({ store, records, ...options }, tags),
  )
}

/** Yields the old tags of one document after the other; their keys follow each other. */
async function* oldTagsIn(store: ObjectStore, signal: AbortSignal | undefined): AsyncGenerator<TagRef[]> {
  let tags: TagRef[] = []
  for await (const { key } of eachObject(store, tenantsPrefix, { signal })) {
    const tag = parseOldTagKey(key)
    if (!tag) continue
    const [last] = tags
    if (last && oldTagsPrefix(last) !== oldTagsPrefix(tag)) {
      yield tags
      tags = []
    }
    tags.push(tag)
  }
  if (tags.length > 0) yield tags
}

interface Conversion extends ConversionOptions {
  store: ObjectStore
  records: Records
}

async function convertDocument(conversion: Conversion, refs: readonly TagRef[]): Promise<Converted> {
  const { store, dryRun, signal } = conversion
  const { tenant, type, name } = refs[0] as TagRef
  const ref = { tenant, type, name }
  const { found, unreadable } = await readOldTags(store, refs, signal)
  const tags = [
    ...unreadable.map(({ ref: { tag }, result }) => ({ tag, result })),
    ...(await mergeIntoRecord(conversion, ref, found)),
  ]
  const isOver = ({ result }: Converted['tags'][number]) => result === 'converted' || result === 'dangling'
  for (const { tag } of dryRun ? [] : tags.filter(isOver))
    await store.delete(oldTagKey({ ...ref, tag }), { signal })
  return { ref, tags }
}

async function mergeIntoRecord(
  { store, records, dryRun, signal }: Conversion,
  ref: DocumentRef,
  found: Parameters<typeof recordOfOldTags>[0],
): Promise<Converted['tags']> {
  const allAs = (result: ConvertedResult) => [...found.keys()].map((tag) => ({ tag, result }))
  try {
    return await changeByFacts(records, ref, {
      signal,
      look: () => versionsOf(store, ref, { signal }),
      change(into, versions) {
        const there = new Set(versions.map(({ digest }) => digest))
        const holds = (digest: (typeof versions)[number]['digest']) =>
          there.has(digest) && !markOf(into, digest)
        const { record, tags } = merged(into, recordOfOldTags(found, versions), holds)
        const result = tags.map(({ tag, result: merge, source: { digest } }) => {
          if (merge === 'withheld') return { tag, result: there.has(digest) ? 'busy' : 'dangling' } as const
          return { tag, result: merge === 'exhausted' ? merge : 'converted' } as const
        })
        return dryRun ? { result } : { to: repaired(record, versions, subject), result }
      },
    })
  } catch (error) {
    if (isFailureOf(error, 'integrity_violated')) return allAs('record damaged')
    if (isFailureOf(error, 'busy')) return allAs('busy')
    throw error
  }
}
