import { Missing } from '../../../service/cli/checks/check.ts'
import { eachObject } from '../../../service/object-store/each-object.ts'
import type { ListedObject, ObjectStore } from '../../../service/object-store/object-store.ts'

/** All objects of a bucket (or below a prefix) at one time, by key. */
export type Listing = ReadonlyMap<string, ListedObject>

/** A thousand list calls. Beyond this a bucket is too busy for a proof that looks at all of it. */
export const listedKeysMax = 1_000_000

/** @throws {Missing} if there are more than {@link listedKeysMax}. @throws {ObjectStoreError} */
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

/** Keys that are in `after` and not in `before`, ascending. */
export function newKeys(before: Listing, after: Listing): string[] {
  return [...after.keys()].filter((key) => !before.has(key)).sort()
}

/** One line for each object, for the evidence: key, bytes, ETag, time. */
export function listingText(listing: Listing): string {
  return [...listing.values()]
    .map(({ key, size, etag, lastModified }) => `${key}\t${size}\t${etag}\t${lastModified.toISOString()}\n`)
    .sort()
    .join('')
}
