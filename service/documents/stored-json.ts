import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { ObjectBody, ObjectBytes } from '../object-store/object-store.ts'

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
