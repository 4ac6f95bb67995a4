import { eachObject } from '../../object-store/each-object.ts'
import type { CallOptions, ObjectStore } from '../../object-store/object-store.ts'
import type { ListedVersion } from '../../wire/answers.ts'
import type { Digest, DocumentRef } from '../../wire/names.ts'
import { versionsPrefix } from '../document-key.ts'
import { toListedVersion } from '../listing/version-pages.ts'

/** Returns all versions that a document has in the store, from one list call per thousand. */
export async function versionsOf(
  store: Pick<ObjectStore, 'list'>,
  ref: DocumentRef,
  options: CallOptions,
): Promise<ListedVersion[]> {
  // By digest: a listing that had to begin again repeats versions.
  const versions = new Map<Digest, ListedVersion>()
  for await (const object of eachObject(store, versionsPrefix(ref), options)) {
    const version = toListedVersion(object)
    if (version) versions.set(version.digest, version)
  }
  return [...versions.values()]
}
