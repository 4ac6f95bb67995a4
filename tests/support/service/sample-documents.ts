import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import type { Digest } from '../../../service/wire/names.ts'

export const KiB = 1024
export const MiB = 1024 * KiB

/** `sha256:<hex>` of the bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${Bun.SHA256.hash(bytes, 'hex')}`
}

/** RFC 9530 section 3, of the bytes. */
export function reprDigestOf(bytes: Uint8Array): string {
  return `sha-256=:${Bun.SHA256.hash(bytes, 'base64')}:`
}

/** Random bytes: no chunk of them equals another, so none can be lost or doubled unseen. */
export function randomDocument(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

/** The key of a version, spelled out: tests must not take it from the code they test. */
export function keyOf(type: string, name: string, digest: Digest, tenant = 'acme'): string {
  return `tenants/${tenant}/documents/${type}/${name}/${digest.slice('sha256:'.length)}`
}

/** Address of a document below a service's origin. */
export function pathOf(type: string, name: string, tenant = 'acme'): string {
  return `/v1/tenants/${tenant}/documents/${type}/${name}`
}

/** Digest and size of what the store holds under `key`, read from the store itself; `null` for nothing. */
export async function storedUnder(
  store: ObjectStore,
  key: string,
): Promise<{ digest: Digest; size: number } | null> {
  const object = await store.get(key)
  if (object === null) return null
  const bytes = new Uint8Array(await new Response(object.body).arrayBuffer())
  return { digest: digestOf(bytes), size: bytes.length }
}

/** A body of unknown length: Bun sends a stream of JavaScript in chunks, without Content-Length. */
export function inChunks(body: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= body.length) return controller.close()
      controller.enqueue(body.subarray(at, at + 100_000))
      at += 100_000
    },
  })
}
