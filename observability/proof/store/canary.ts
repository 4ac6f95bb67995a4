import { randomBytes } from 'node:crypto'
import { type ObjectStore, ObjectStoreError } from '../../../service/object-store/object-store.ts'
import type { Marker } from '../marker.ts'
import { readObject } from './objects.ts'

/** An object of the proof outside every prefix, in a folder of its own: a server that strays may hit it. */
export interface Canary {
  key: string
  /** `null` if these credentials may not write there. */
  etag: string | null
  bytes: Uint8Array
}

/** Returns the folder of a canary. @param owner whose it is: the proof of each server has one. */
export function canaryFolder({ id }: Pick<Marker, 'id'>, owner: string): string {
  return `validate-canary-${id}-${owner}/`
}

/**
 * Writes a canary.
 *
 * @param folder from {@link canaryFolder}.
 * @throws {ObjectStoreError} unless the object is written, or these credentials may not write there.
 */
export async function putCanary(store: ObjectStore, folder: string): Promise<Canary> {
  const key = `${folder}keep`
  const bytes = randomBytes(64)
  try {
    const options = { size: bytes.length, contentType: 'application/octet-stream' }
    const put = await store.put(key, bytes, options)
    return { key, etag: put?.etag ?? '', bytes }
  } catch (error) {
    // Keys that reach nothing outside the prefix contain better than any server does.
    if (error instanceof ObjectStoreError && error.code === 'denied') return { key, etag: null, bytes }
    throw error
  }
}

/** Returns what happened to the canary, in words, or `null` if it is as it was. */
export async function canaryChange(store: ObjectStore, { key, etag, bytes }: Canary): Promise<string | null> {
  const now = await readObject(store, key)
  if (now === null) return `${key} is gone`
  if (!Buffer.from(now).equals(Buffer.from(bytes))) return `${key} has other bytes`
  const info = await store.head(key)
  return info?.etag === etag ? null : `${key} was written again`
}
