import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import { tap } from '../../object-store/tap.ts'

/** Of two stores that are worked on at once: where from, where to. */
export type Side = 'source' | 'target'

/** A failed call to one of two stores. */
export class SideError extends ObjectStoreError {
  constructor(
    readonly side: Side,
    { code, operation, reason, retryAfterSeconds }: ObjectStoreError,
  ) {
    super(code, operation, reason, retryAfterSeconds)
    this.message = `${side}: ${this.message}`
  }
}

/** The store, whose failures say which of the two it is; those of a body that is read from it as well. */
export function onSide(side: Side, store: ObjectStore): ObjectStore {
  const told = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call()
    } catch (error) {
      throw toSide(side, error)
    }
  }
  return {
    put: (key, body, options) => told(() => store.put(key, body, options)),
    get: async (key, options) => {
      const object = await told(() => store.get(key, options))
      return object && { ...object, body: tap(object.body, { onFailure: (error) => toSide(side, error) }) }
    },
    head: (key, options) => told(() => store.head(key, options)),
    copy: (from, to, options) => told(() => store.copy(from, to, options)),
    list: (options) => told(() => store.list(options)),
    delete: (key, options) => told(() => store.delete(key, options)),
    startMultipart: (key, options) => told(() => store.startMultipart(key, options)),
    listUnfinished: (prefix, options) => told(() => store.listUnfinished(prefix, options)),
    abortUnfinished: (key, uploadId, options) => told(() => store.abortUnfinished(key, uploadId, options)),
    clock: (options) => told(() => store.clock(options)),
  }
}

/** A body that is being put may come from the other store: then it is that one that has failed. */
function toSide(side: Side, error: unknown): unknown {
  return error instanceof ObjectStoreError && !(error instanceof SideError)
    ? new SideError(side, error)
    : error
}
