import { Missing } from '../../../service/cli/checks/check.ts'
import type { ListedObject, ObjectStore } from '../../../service/object-store/object-store.ts'

/** All objects of a bucket (or below a prefix) at one time, by key. */
export type Listing = ReadonlyMap<string, ListedObject>

/** A thousand list calls. Beyond this a bucket is too busy for a proof that looks at all of it. */
const listedKeysMax = 1_000_000

/**
 * Lists all objects whose keys begin with `prefix`.
 *
 * @throws {Missing} if there are more than a million. @throws {ObjectStoreError}
 */
export async function listObjects(store: ObjectStore, prefix = ''): Promise<Listing> {
  const objects = new Map<string, ListedObject>()
  for (let startAfter: string | undefined; ; ) {
    const page = await store.list({ prefix, startAfter, limit: 1000 })
    for (const object of page.objects) objects.set(object.key, object)
    const last = page.objects.at(-1)
    if (!page.truncated || last === undefined) return objects
    if (objects.size >= listedKeysMax) {
      throw new Missing(`a bucket of fewer than ${listedKeysMax} objects: all of them have to be listed`)
    }
    startAfter = last.key
  }
}

/** Returns the keys that are in `after` and not in `before`, ascending. */
export function newKeys(before: Listing, after: Listing): string[] {
  return [...after.keys()].filter((key) => !before.has(key)).sort()
}

/** Returns one line for each object, for the evidence: key, bytes, ETag, time. */
export function listingText(listing: Listing): string {
  return [...listing.values()]
    .map(({ key, size, etag, lastModified }) => `${key}\t${size}\t${etag}\t${lastModified.toISOString()}\n`)
    .sort()
    .join('')
}

/** Returns all bytes of an object, or `null` if there is none. They are held in memory: for a few hundred KiB. */
export async function readObject(store: ObjectStore, key: string): Promise<Uint8Array | null> {
  const object = await store.get(key)
  return object === null ? null : new Uint8Array(await new Response(object.body).arrayBuffer())
}
