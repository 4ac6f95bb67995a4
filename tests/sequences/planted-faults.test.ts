import { describe, expect, it } from 'bun:test'
import type { ObjectStore } from '../../service/object-store/object-store.ts'
import { ownService } from '../support/service/own-service.ts'
import { createTrials, differenceOf, onlyAt } from './try-sequences.ts'

/** Sequences would find a fault of the service, whatever the store is: so this runs on one. */

const { service: first } = await ownService()
const trials = createTrials(first)
/** Of the random sequences that are tried until one of them shows the fault. */
const search = { numRuns: 500, seed: 2 }

/** Plants a fault: puts below a folder of the tenant are made whatever their condition says. */
function unconditional(folder: 'documents' | 'records') {
  return (store: ObjectStore): ObjectStore => ({
    ...store,
    put(key, body, { condition, ...options }) {
      return store.put(key, body, key.includes(`/${folder}/`) ? options : { ...options, condition })
    },
  })
}

/** Plants a fault: what was read once counts as unchanged indefinitely. */
function neverReadingAgain(store: ObjectStore): ObjectStore {
  return {
    ...store,
    getWhole: async (key, options) => (options.unless ? 'unchanged' : store.getWhole(key, options)),
  }
}

const faults: [string, (store: ObjectStore) => ObjectStore][] = [
  ['a replica overwrites the record of a document without looking', unconditional('records')],
  ['a replica does not read again what another one may have changed', neverReadingAgain],
]

describe('a fault that random sequences look for', () => {
  it.each(faults)('is found and short where %s', async (_, decorate) => {
    const { service: faulty } = await ownService({ replicaOf: first, decorate })
    const found = await trials.check([first, faulty], search)
    expect(differenceOf(found.errorInstance).operations.length).toBeLessThanOrEqual(5)
  })

  it('is shortened to two uploads that can be repeated, where a replica forgets the first writer of a version', async () => {
    const { service: faulty } = await ownService({ replicaOf: first, decorate: unconditional('documents') })
    const found = await trials.check([faulty, faulty], search)
    const shortest = differenceOf(found.errorInstance).operations
    expect(shortest.map((operation) => operation.do)).toEqual(['put', 'put'])
    const again = await trials.check([faulty, faulty], {
      ...search,
      ...onlyAt(found.counterexamplePath ?? ''),
    })
    expect([again.numRuns, differenceOf(again.errorInstance).operations]).toEqual([1, shortest])
  })
})
