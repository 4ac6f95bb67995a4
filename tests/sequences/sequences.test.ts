import { describe, expect, it } from 'bun:test'
import { recordFigure } from '../support/figures.ts'
import { seedOf } from '../support/seed.ts'
import { ownService } from '../support/service/own-service.ts'
import { sizeOf } from '../support/sizes.ts'
import { createTrials, onlyAt, reportOf } from './try-sequences.ts'

const size = sizeOf({ test: 150, long: 10_000, of: 'sequences' })
const seed = seedOf(import.meta)
/** Leads to the one sequence that is to be repeated. */
const path = process.env.TEST_PATH

const { service: first } = await ownService()
const { service: second } = await ownService({ replicaOf: first })
const trials = createTrials(first)

describe('a sequence of calls to two replicas', () => {
  it('is answered as the model says, leaves what the model says, and nothing in staging', async () => {
    const which = path === undefined ? { numRuns: size } : onlyAt(path)
    const found = await trials.check([first, second], { seed, ...which })
    expect(reportOf(import.meta, found)).toBe('every answer was as the model says')
    recordFigure('sequences', { name: 'sequences', value: found.numRuns, unit: '' })
    recordFigure('sequences', { name: 'calls', value: trials.calls(), unit: '' })
  }, 0)
})
