import { eachObject } from '../../object-store/each-object.ts'
import type { CallOptions, ObjectStore } from '../../object-store/object-store.ts'
import type { ListedVersion } from '../../wire/answers.ts'
import type { DocumentRef } from '../../wire/names.ts'
import { versionsPrefix } from '../document-key.ts'
import { toListedVersion } from '../version-pages.ts'

/** Returns all versions that a document has in the store, from one list call per thousand. */
export async function versionsOf(
  store: Pick<ObjectStore, 'list'>,
  ref: DocumentRef,
  options: CallOptions,
): Promise<ListedVersion[]> {
  const objects = await Array.fromAsync(eachObject(store, versionsPrefix(ref), options))
  return objects.flatMap((object) => toListedVersion(object) ?? [])
}
