import { Missing } from '../../../service/cli/checks/check.ts'
import { eachObject } from '../../../service/object-store/each-object.ts'
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
  for await (const object of eachObject(store, prefix)) {
    if (objects.size >= listedKeysMax) {
      throw new Missing(`a bucket of fewer than ${listedKeysMax} objects: all of them have to be listed`)
    }
    objects.set(object.key, object)
  }
  return objects
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
