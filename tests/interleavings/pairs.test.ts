import { describe, expect, it } from 'bun:test'
import { recordFigure } from '../support/figures.ts'
import { sizeOf } from '../support/sizes.ts'
import { explore } from './explored.ts'
import { singles } from './mixes.ts'
import { type Plan, tag, twoVersions } from './plan.ts'

const max = sizeOf({ test: 16, long: 600, of: 'schedules of each pair at most' })

const before = [...twoVersions, tag('stable', 'B')]

/** Runs all schedules of every pair, or as many as the size allows. */
async function allPairs(
  shape: Pick<Plan, 'replicas' | 'inTurnFrom'>,
  troubles: 'none' | 'one',
): Promise<number> {
  let schedules = 0
  let complete = 0
  let pairs = 0
  for (const [at, first] of singles.entries()) {
    // In turn, the order matters.
    for (const second of shape.inTurnFrom === undefined ? singles.slice(at) : singles) {
      const plan = { before, operations: [first, second], ...shape }
      const explored = await explore(plan, { max, troubles: troubles === 'one' ? ['fault', 'crash'] : [] })
      expect(explored.firstBroken).toBe('')
      pairs += 1
      schedules += explored.schedules
      complete += explored.isComplete ? 1 : 0
    }
  }
  console.log(`${schedules.toLocaleString('en')} schedules; all there are of ${complete} of ${pairs} pairs`)
  return schedules
}

describe('every pair of operations', () => {
  it('keeps all promises when two replicas do them at once', async () => {
    const schedules = await allPairs({ replicas: 2 }, 'none')
    recordFigure('everyPair', { name: 'schedules', value: schedules, unit: '' })
  }, 0)

  it('keeps all promises when one replica does them at once', async () => {
    const schedules = await allPairs({ replicas: 1 }, 'none')
    recordFigure('everyPair', { name: 'schedules on one replica', value: schedules, unit: '' })
  }, 0)

  it('keeps all promises when one follows the other, and a call is lost, late or repeated, or a process is killed', async () => {
    const schedules = await allPairs({ replicas: 2, inTurnFrom: 0 }, 'one')
    recordFigure('everyPair', { name: 'schedules with a fault', value: schedules, unit: '' })
  }, 0)
})
