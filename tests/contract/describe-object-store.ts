import { afterAll, beforeAll, describe, setDefaultTimeout } from 'bun:test'
import { conditionsContract } from './conditions-contract.ts'
import { copyAbsentContract } from './copy-absent-contract.ts'
import { copyContract } from './copy-contract.ts'
import { getContract } from './get-contract.ts'
import { listContract } from './list-contract.ts'
import { multipartContract } from './multipart-contract.ts'
import { bodiesContract } from './put-contract.ts'
import type { StoreUnderTest } from './store-under-test.ts'
import { upkeepContract } from './upkeep-contract.ts'

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
