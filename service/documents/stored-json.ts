import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type {
  CallOptions,
  ObjectBody,
  ObjectBytes,
  ObjectStore,
  PutOptions,
  PutResult,
} from '../object-store/object-store.ts'

/** An object that holds JSON; `value` is `null` if it is larger than it may be, or no JSON of the form that was asked for. */
export interface StoredJson<Value> {
  object: ObjectBytes | ObjectBody
  value: Value | null
}

/** Reads the JSON under a key, `null` if there is no such object. @throws {ObjectStoreError} */
export async function readJsonAt<Schema extends TSchema>(
  store: Pick<ObjectStore, 'getWhole'>,
  key: string,
  { schema, bytesMax, signal }: CallOptions & { schema: Schema; bytesMax: number },
): Promise<StoredJson<Static<Schema>> | null> {
  const object = await store.getWhole(key, { bytesMax, signal })
  if (!object || object === 'unchanged') return null
  return { object, value: await storedJson(schema, object) }
}

/** Stores a value as JSON, as `put` of the port does. @returns `null` if the condition does not hold */
export function writeJsonAt(
  store: Pick<ObjectStore, 'put'>,
  key: string,
  value: object,
  options: Omit<PutOptions, 'size' | 'contentType'> = {},
): Promise<PutResult | null> {
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  return store.put(key, bytes, { ...options, size: bytes.byteLength, contentType: 'application/json' })
}

/**
 * Returns the JSON (UTF-8) of an object that `getWhole` has read, or `null` if it is larger than it may be, or no JSON of
 * this form. The body of a larger one is cancelled.
 */
export async function storedJson<Schema extends TSchema>(
  schema: Schema,
  { body }: Pick<ObjectBody, 'body'> | Pick<ObjectBytes, 'body'>,
): Promise<Static<Schema> | null> {
  if (!(body instanceof Uint8Array)) {
    await body.cancel()
    return null
  }
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body))
    return Value.Check(schema, value) ? value : null
  } catch {
    return null
  }
}
