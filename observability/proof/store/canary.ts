import { randomBytes } from 'node:crypto'
import { type ObjectStore, ObjectStoreError } from '../../../service/object-store/object-store.ts'
import type { Marker } from '../marker.ts'
import { readObject } from './read-object.ts'

/** An object of ours outside of every prefix, in a folder of its own: whoever strays has something to step on. */
export interface Canary {
  key: string
  /** `null` if these credentials may not write there. */
  etag: string | null
  bytes: Uint8Array
}

/** What became of it: `null` if it is as it was, else in words. */
export type CanaryChange = string | null

/** @param owner whose canary it is: each server's proof has one. */
export function canaryFolder({ id }: Pick<Marker, 'id'>, owner: string): string {
  return `validate-canary-${id}-${owner}/`
}

/** @param folder by {@link canaryFolder}. */
export async function putCanary(store: ObjectStore, folder: string): Promise<Canary> {
  const key = `${folder}keep`
  const bytes = randomBytes(64)
  try {
    const options = { size: bytes.length, contentType: 'application/octet-stream' }
    const put = await store.put(key, bytes, options)
    return { key, etag: put?.etag ?? '', bytes }
  } catch (error) {
    // Keys that reach nothing outside of the prefix contain better than any server does.
    if (error instanceof ObjectStoreError && error.code === 'denied') return { key, etag: null, bytes }
    throw error
  }
}

export async function canaryChange(store: ObjectStore, { key, etag, bytes }: Canary): Promise<CanaryChange> {
  const now = await readObject(store, key)
  if (now === null) return `${key} is gone`
  if (!Buffer.from(now).equals(Buffer.from(bytes))) return `${key} has other bytes`
  const info = await store.head(key)
  return info?.etag === etag ? null : `${key} was written again`
}
