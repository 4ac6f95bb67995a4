import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import type { Digest } from '../../../service/wire/names.ts'

export const KiB = 1024
export const MiB = 1024 * KiB

/** Returns `sha256:<hex>` of the bytes, or of the text in UTF-8. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${Bun.SHA256.hash(bytes, 'hex')}`
}

/** Returns the value of `Repr-Digest` for the bytes, or for the text in UTF-8 (RFC 9530, section 3). */
export function reprDigestOf(bytes: string | Uint8Array): string {
  return `sha-256=:${Bun.SHA256.hash(bytes, 'base64')}:`
}

/** Returns random bytes: no two chunks of them are equal, so a lost or doubled one changes the digest. */
export function randomDocument(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

/** Returns the key of a version, spelled out: tests must not take it from the code that they test. */
export function keyOf(type: string, name: string, digest: Digest, tenant = 'acme'): string {
  return `tenants/${tenant}/documents/${type}/${name}/${digest.slice('sha256:'.length)}`
}

/** Returns the path of a document below the origin of a service. */
export function pathOf(type: string, name: string, tenant = 'acme'): string {
  return `/v1/tenants/${tenant}/documents/${type}/${name}`
}

/** Reads what the store holds under `key` and returns its digest and size, `null` if there is nothing. */
export async function storedUnder(
  store: ObjectStore,
  key: string,
): Promise<{ digest: Digest; size: number } | null> {
  const object = await store.get(key)
  if (object === null) return null
  const bytes = new Uint8Array(await new Response(object.body).arrayBuffer())
  return { digest: digestOf(bytes), size: bytes.length }
}
