import { type Static, Type } from '@sinclair/typebox'
import { limits } from '../../limits.ts'
import type { CallOptions, ObjectStore } from '../../object-store/object-store.ts'
import type { ListedVersion } from '../../wire/answers.ts'
import { type Digest, type DocumentRef, digestPattern, latestTag, type TagRef } from '../../wire/names.ts'
import { type DocumentRecord, emptyRecord, type TagEntry } from '../document-record.ts'
import { compareNewestFirst } from '../listing/version-pages.ts'
import { storedJson } from '../stored-json.ts'

/**
 * The layout that records have replaced: each tag was an object of its own, `tenants/<tenant>/tags/<type>/<name>/<tag>`.
 * This file is the only one that knows it. Conversion, migration and comparison read it; nothing writes it.
 */

/** What was stored under a tag's key. */
const OldTag = Type.Object({
  digest: Type.Unsafe<Digest>(Type.String({ pattern: digestPattern })),
  movedAt: Type.String(),
  movedBy: Type.String(),
  /** When the upload was admitted that moved `latest`; records order by the move itself. */
  admittedAt: Type.String(),
})
type OldTag = Static<typeof OldTag>

/** Returns the tag of an old key, or `null` for any other key. */
export function parseOldTagKey(key: string): TagRef | null {
  const [tenants, tenant, tags, type, name, tag, ...rest] = key.split('/')
  if (tenants !== 'tenants' || tags !== 'tags' || rest.length > 0) return null
  return tenant && type && name && tag ? { tenant, type, name, tag } : null
}

/** Returns the key that a tag had. */
export function oldTagKey({ tenant, type, name, tag }: TagRef): string {
  return `${oldTagsPrefix({ tenant, type, name })}${tag}`
}

/** Start of the keys that the tags of a document had. */
export function oldTagsPrefix({ tenant, type, name }: DocumentRef): string {
  return `tenants/${tenant}/tags/${type}/${name}/`
}

/** Tags of one document, as the old layout kept them. */
export interface OldTags {
  /** By the name of the tag. */
  found: Map<string, OldTag>
  /** Tags whose text is not a tag's, and tags that are there no more. */
  unreadable: { ref: TagRef; result: 'damaged' | 'gone' }[]
}

/** Reads the tags of one document. */
export async function readOldTags(
  store: Pick<ObjectStore, 'getWhole'>,
  refs: readonly TagRef[],
  signal?: AbortSignal,
): Promise<OldTags> {
  const tags: OldTags = { found: new Map(), unreadable: [] }
  for (const ref of refs) {
    const read = await readOldTag(store, ref, { signal })
    if (typeof read === 'string') tags.unreadable.push({ ref, result: read })
    else tags.found.set(ref.tag, read)
  }
  return tags
}

async function readOldTag(
  store: Pick<ObjectStore, 'getWhole'>,
  ref: TagRef,
  options: CallOptions,
): Promise<OldTag | 'damaged' | 'gone'> {
  const object = await store.getWhole(oldTagKey(ref), { ...options, bytesMax: oldTagBytesMax })
  if (!object || object === 'unchanged') return 'gone'
  return (await storedJson(OldTag, object)) ?? 'damaged'
}

/** A tag's JSON had about 200 bytes. */
const oldTagBytesMax = 4096

/**
 * Returns the record that says what the tags of the old layout said. The versions count in the order in which they
 * were stored, and the one that was `latest` counts last: an upload of a version that existed moved only `latest`.
 *
 * @param versions all versions of the document.
 */
export function recordOfOldTags(
  tags: ReadonlyMap<string, OldTag>,
  versions: readonly ListedVersion[],
): DocumentRecord {
  const oldestFirst = versions.toSorted(compareNewestFirst).reverse()
  const latest = tags.get(latestTag)?.digest
  const digests = oldestFirst.map(({ digest }) => digest)
  const order = latest ? [...digests.filter((digest) => digest !== latest), latest] : digests
  const entries = [...tags].map(([tag, old]) => [tag, entryOf(tag, old)] as const)
  return { ...emptyRecord, tags: Object.fromEntries(entries), order: order.slice(-limits.recordOrderMax) }
}

/** The id follows from the move, so that a copy that is converted on its way and its original agree. */
function entryOf(tag: string, { digest, movedAt, movedBy }: OldTag): TagEntry {
  const move = JSON.stringify([tag, digest, movedAt, movedBy])
  return { digest, movedAt, movedBy, id: Bun.SHA256.hash(move, 'hex').slice(0, 32) }
}
