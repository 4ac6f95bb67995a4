import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { listObjects, readObject } from './objects.ts'

/** One thing that Loki or Tempo asks of the store: `false` if the store took it and did something else. */
type Step = () => Promise<boolean>

export interface PreflightResult {
  /** Names of the steps that worked. */
  good: string[]
  /** Names and reasons of those that did not. */
  bad: string[]
  /** Scratch keys that are still there. */
  left: string[]
}

const contentType = 'application/octet-stream'
/** Every part but the last one has at least 5 MiB (S3 API, "Amazon S3 multipart upload limits"). */
const partBytes = 5 * 1024 * 1024

/**
 * Tries what Loki and Tempo ask of a store, on scratch keys below `prefix` that it removes: put, get, list, parts of a
 * large object, delete. {@link tryCopy} tries copying.
 *
 * @param id makes the keys unique.
 */
export async function tryStore(store: ObjectStore, prefix: string, id: string): Promise<PreflightResult> {
  const scratch = scratchIn(prefix, id)
  const keys = { one: `${scratch}one`, parts: `${scratch}parts` }
  const result: PreflightResult = { good: [], bad: [], left: [] }
  for (const [name, step] of Object.entries(stepsIn(store, scratch, keys))) {
    try {
      if (await step()) result.good.push(name)
      else result.bad.push(`${name}: other bytes or keys than expected`)
    } catch (error) {
      result.bad.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  result.left = await cleaned(store, Object.values(keys), scratch)
  return result
}

/**
 * Copies an object below `prefix` inside the store and compares the bytes. Tempo's compactor and retention copy every
 * meta.json; Loki copies nothing.
 *
 * @returns whether the copy has the same bytes.
 * @throws {ObjectStoreError} if the store refuses.
 */
export async function tryCopy(store: ObjectStore, prefix: string, id: string): Promise<boolean> {
  const scratch = scratchIn(prefix, id)
  const [from, to] = [`${scratch}copied`, `${scratch}copy`]
  const bytes = new TextEncoder().encode(scratch)
  try {
    const put = await store.put(from, bytes, { size: bytes.length, contentType })
    await store.copy(from, to, { ifMatch: put?.etag ?? '', contentType, metadata: {} })
    return await sameBytes(store, to, bytes)
  } finally {
    await cleaned(store, [from, to], scratch)
  }
}

function scratchIn(prefix: string, id: string): string {
  return `${prefix}validate-preflight-${id}/`
}

function stepsIn(
  store: ObjectStore,
  scratch: string,
  { one, parts }: Record<'one' | 'parts', string>,
): Record<string, Step> {
  const bytes = new TextEncoder().encode(scratch)
  return {
    put: async () => (await store.put(one, bytes, { size: bytes.length, contentType })) !== null,
    get: () => sameBytes(store, one, bytes),
    list: async () => [...(await listObjects(store, scratch)).keys()].join() === one,
    multipart: () => inParts(store, parts),
    async delete() {
      await store.delete(one)
      return (await store.get(one)) === null
    },
  }
}

async function inParts(store: ObjectStore, key: string): Promise<boolean> {
  const upload = await store.startMultipart(key, { contentType })
  try {
    await upload.uploadPart(new Uint8Array(partBytes))
    await upload.uploadPart(new Uint8Array(1))
    await upload.complete()
  } catch (error) {
    await upload.abort()
    throw error
  }
  return (await store.head(key))?.size === partBytes + 1
}

async function sameBytes(store: ObjectStore, key: string, bytes: Uint8Array): Promise<boolean> {
  const read = await readObject(store, key)
  return read !== null && Buffer.from(read).equals(Buffer.from(bytes))
}

/** Removes the scratch keys and what an upload may have left. @returns those that could not be removed. */
async function cleaned(store: ObjectStore, keys: readonly string[], scratch: string): Promise<string[]> {
  const left: string[] = []
  for (const key of keys) await store.delete(key).catch(() => left.push(key))
  const unfinished = await store.listUnfinished(scratch).catch(() => [])
  for (const { key, uploadId } of unfinished) {
    await store.abortUnfinished(key, uploadId).catch(() => left.push(`${key} (unfinished)`))
  }
  return left
}
