import { afterAll, beforeAll, describe, setDefaultTimeout } from 'bun:test'
import type { ObjectStore, PutOptions } from '../../service/object-store/object-store.ts'
import { seenUnder } from '../support/stores/bodies.ts'
import { conditionsContract } from './conditions-contract.ts'
import { copyAbsentContract } from './copy-absent-contract.ts'
import { copyContract } from './copy-contract.ts'
import { getContract } from './get-contract.ts'
import { listContract } from './list-contract.ts'
import { multipartContract } from './multipart-contract.ts'
import { bodiesContract } from './put-contract.ts'
import { upkeepContract } from './upkeep-contract.ts'

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
  close(): Promise<void>
}

/** Gives the running test its store; a key scope of its own keeps it apart from the other tests. */
export type Subject = () => StoreUnderTest

/** To catch hangs, not slowness: a test that exceeds it takes all servers of its process down with it. */
const testMillisecondsMax = 60_000

/** A first start may have to build the server. */
const startMillisecondsMax = 600_000

/**
 * Checks a store against every sentence of the port (`service/object-store/object-store.ts`).
 *
 * @param makeStore called once; the store may hold other keys already, and keeps what the tests put there
 */
export function describeObjectStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  // Holds for the file that calls this, so it cannot stand at the top of this module.
  setDefaultTimeout(testMillisecondsMax)
  describe(`object store: ${name}`, () => {
    let made: StoreUnderTest | undefined
    beforeAll(async () => {
      made = await makeStore()
    }, startMillisecondsMax)
    afterAll(async () => {
      await made?.close()
    })
    const subject = () => {
      if (made === undefined) throw new Error('the store did not start')
      return made
    }
    bodiesContract(subject)
    conditionsContract(subject)
    copyContract(subject)
    copyAbsentContract(subject)
    getContract(subject)
    listContract(subject)
    multipartContract(subject)
    upkeepContract(subject)
  })
}

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
