import { type ObjectStore, ObjectStoreError } from '../../object-store/object-store.ts'
import { type ObserveCall, observed, watched } from '../../object-store/observed-object-store.ts'

/** Which of two stores that are worked on at once. */
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

/** Returns the store, whose failures name its side; so do those of a body that is read from it. */
export function onSide(side: Side, store: ObjectStore): ObjectStore {
  /** A body that is being put may come from the other store: then its failure names that one already. */
  const toSide = (error: unknown) =>
    error instanceof ObjectStoreError && !(error instanceof SideError) ? new SideError(side, error) : error
  const call: ObserveCall = async (_operation, _target, make) => {
    try {
      return await make()
    } catch (error) {
      throw toSide(error)
    }
  }
  return observed(store, {
    call,
    reading: async (...reading) => watched(await call(...reading), { onFailure: toSide }),
  })
}
