import { describe, expect, it } from 'bun:test'
import fc, { type RunDetails } from 'fast-check'
import type { ObjectStore } from '../../service/object-store/object-store.ts'
import { recordFigure } from '../support/figures.ts'
import { replayOf, seedOf } from '../support/seed.ts'
import { callerOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import type { InProcessService } from '../support/service/service-for-tests.ts'
import { sizeOf } from '../support/sizes.ts'
import { type Sequence, sequences, tenants } from './operations.ts'
import { Difference, runSequence } from './run-sequence.ts'
import type { Replicas } from './service-answers.ts'

const size = sizeOf({ test: 150, long: 10_000, of: 'sequences' })
const seed = seedOf(import.meta)
/** Leads to the one sequence that is to be repeated. */
const path = process.env.TEST_PATH

const { service: first } = await ownService()
const { service: second } = await ownService({ replicaOf: first })

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
  return { ...store, getUnless: async () => 'unchanged' }
}

const faults: [string, (store: ObjectStore) => ObjectStore][] = [
  ['a replica overwrites the record of a document without looking', unconditional('records')],
  ['a replica does not read again what another one may have changed', neverReadingAgain],
]

async function replicasOf(services: readonly InProcessService[]): Promise<Replicas> {
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((sub) => first.token({ sub, tenants })))
  const callers = await Promise.all(
    services.map(async (service) => ({
      alice: await callerOf(service, alice),
      bob: await callerOf(service, bob),
    })),
  )
  return { callers, store: first.store }
}

let types = 0
let operations = 0

function check(services: readonly InProcessService[], parameters: fc.Parameters<[Sequence]>) {
  let replicas: Promise<Replicas> | undefined
  const property = fc.asyncProperty(sequences, async (sequence) => {
    types += 1
    operations += sequence.operations.length
    // Tokens live for minutes, and a long run takes an hour.
    if (types % 50 === 0) replicas = undefined
    replicas ??= replicasOf(services)
    await runSequence(await replicas, `t${types}`, sequence)
  })
  return fc.check(property, { seed, ...parameters })
}

/** Tries the one sequence that a path of a failure leads to. */
function onlyAt(path: string): fc.Parameters<[Sequence]> {
  return { path, numRuns: 1, endOnFailure: true }
}

/** Returns what a person needs to find the fault: the shortest sequence, the first difference, and how to repeat it. */
function reportOf({ counterexample, counterexamplePath, ...found }: RunDetails<[Sequence]>): string {
  if (!found.failed) return 'every answer was as the model says'
  const contents = counterexample?.[0].contents ?? []
  return [
    ...[...contents, ...differenceOf(found.errorInstance).operations].map((each) => JSON.stringify(each)),
    String(found.errorInstance),
    `TEST_PATH=${counterexamplePath} ${replayOf(import.meta, { seed: found.seed })}`,
  ].join('\n')
}

function differenceOf(error: unknown): Difference {
  if (error instanceof Difference) return error
  throw error
}

describe('a sequence of calls to two replicas', () => {
  it('is answered as the model says, leaves what the model says, and nothing in staging', async () => {
    const found = await check([first, second], path === undefined ? { numRuns: size } : onlyAt(path))
    expect(reportOf(found)).toBe('every answer was as the model says')
    recordFigure('sequences', { name: 'sequences', value: found.numRuns, unit: '' })
    recordFigure('sequences', { name: 'calls', value: operations, unit: '' })
  })

  it.each(faults)('is found and short where %s', async (_, decorate) => {
    const { service: faulty } = await ownService({ replicaOf: first, decorate })
    const found = await check([first, faulty], { numRuns: 500, seed: 1 })
    expect(differenceOf(found.errorInstance).operations.length).toBeLessThanOrEqual(5)
  })

  it('is shortened to two uploads that can be repeated, where a replica forgets the first writer of a version', async () => {
    const { service: faulty } = await ownService({ replicaOf: first, decorate: unconditional('documents') })
    const found = await check([faulty, faulty], { numRuns: 500, seed: 1 })
    const shortest = differenceOf(found.errorInstance).operations
    expect(shortest.map((operation) => operation.do)).toEqual(['put', 'put'])
    const again = await check([faulty, faulty], { ...onlyAt(found.counterexamplePath ?? ''), seed: 1 })
    expect([again.numRuns, differenceOf(again.errorInstance).operations]).toEqual([1, shortest])
  })
})
