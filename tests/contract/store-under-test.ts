import type { ObjectStore, PutOptions } from '../../service/object-store/object-store.ts'
import { seenUnder } from '../support/stores/bodies.ts'

/** A store, and what the port leaves open to it. */
export interface StoreUnderTest {
  store: ObjectStore
  /** It refuses a body that does not hash to `PutOptions.sha256`. */
  verifiesSha256: boolean
  /** It lists unfinished uploads by any prefix, not by whole keys only. */
  listsUnfinishedByPrefix: boolean
  /** It lists `a/b` also where `a` is an object. No key of ours lies below another. */
  listsBelowKeys: boolean
  /** It orders whole keys, as S3 does, and not folder by folder. Pages fit together either way. */
  ordersByBytes: boolean
  /** How many may race for one key: SeaweedFS asks for its lock once a second, so each may cost one. */
  racers: number
  /** It reports an aborted upload as absent; RGW 16.2 fails to complete it with 500, like a transient failure. */
  knowsAbortedUploads: boolean
  /** It honours the conditions of copies: about the source (`ifMatch`), and about the target in `copyAbsent`. */
  honoursCopyConditions: boolean
  /** The same in a race; the probe finds out. */
  copiesOnce: boolean
  /** While a stream with `keepsKeyFree` is on its way, its key is not locked. */
  keepsKeysFree: boolean
  close(): Promise<void>
}

/** Gives the running test its store; a key scope of its own keeps it apart from the other tests. */
export type Subject = () => StoreUnderTest

/** Returns a key that no other test uses. */
export function freshKey(name = 'object'): string {
  return `contract/${crypto.randomUUID()}/${name}`
}

/** Returns a key that no other test uses, and what most tests do with it. */
export function fresh(subject: Subject) {
  const { store } = subject()
  const key = freshKey()
  return {
    store,
    key,
    /** Puts bytes, or a stream whose size has to be given. */
    put: (body: Uint8Array | ReadableStream<Uint8Array>, options: Partial<PutOptions> = {}) =>
      store.put(key, body, { size: body instanceof Uint8Array ? body.length : 0, contentType, ...options }),
    /** What a reader sees under the key, or `null`. */
    seen: () => seenUnder(store, key),
  }
}

/** The content type of objects whose type is not the subject of a test. */
export const contentType = 'application/octet-stream'
