import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import { listObjects } from '../../../observability/proof/store/objects.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'

/** Returns all keys of a bucket, ascending. */
export function keysIn(store: StoreConnection, bucket: string): Promise<string[]> {
  return withBucket(store, bucket, async (objects) => [...(await listObjects(objects)).keys()].sort())
}

/** Writes an object of one byte. */
export function putByte(store: StoreConnection, bucket: string, key: string): Promise<unknown> {
  return withBucket(store, bucket, (objects) =>
    objects.put(key, Uint8Array.of(1), { size: 1, contentType: 'text/plain' }),
  )
}

async function withBucket<T>(
  store: StoreConnection,
  bucket: string,
  use: (objects: ObjectStore) => Promise<T>,
): Promise<T> {
  const objects = createS3ObjectStore({ ...store, bucket, connectionsMax: 8 })
  try {
    return await use(objects)
  } finally {
    objects.close()
  }
}
