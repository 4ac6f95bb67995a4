import type { ObjectStore } from '../../../service/object-store/object-store.ts'

/** All bytes of an object, or `null` if there is none. For objects of a few hundred KiB: they are held in memory. */
export async function readObject(store: ObjectStore, key: string): Promise<Uint8Array | null> {
  const found = await store.get(key)
  return found === null ? null : new Uint8Array(await new Response(found.body).arrayBuffer())
}
