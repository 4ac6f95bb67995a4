import { describe, expect, it } from 'bun:test'
import { sizeOf } from '../support/sizes.ts'
import { type ExploreOptions, explore } from './explored.ts'
import { complete, del, get, type Plan, retain, tag, twoVersions, up } from './plan.ts'

const max = sizeOf({ test: 200, long: 4000, of: 'schedules of each plan at most' })

async function keepsItsPromises(plan: Partial<Plan>, options: Partial<ExploreOptions> = {}): Promise<void> {
  const whole = { before: twoVersions, operations: [], replicas: 2, ...plan }
  const { schedules, firstBroken } = await explore(whole, { max, ...options })
  expect(firstBroken).toBe('')
  expect(schedules).toBeGreaterThan(0)
}

/** One call of a schedule is lost, late or made twice, or one process is killed. */
const oneTrouble = { troubles: ['fault', 'crash'] } as const
/** Each operation begins when the one before has ended. */
const inTurn = { inTurnFrom: 0 }

describe('the tag latest', () => {
  it('does not dangle when a version is deleted while it is uploaded', async () => {
    await keepsItsPromises({ operations: [up('D'), del('D')] })
    await keepsItsPromises({ operations: [up('B'), del('B')] })
    await keepsItsPromises({ operations: [up('B'), del('B')], replicas: 1 })
  })

  it('does not dangle when two uploads of a version meet its deletion', async () => {
    await keepsItsPromises({ operations: [up('D'), up('D'), del('D')], replicas: 3 })
  })

  it('does not dangle when it is moved by hand to a version that is being deleted', async () => {
    await keepsItsPromises({ operations: [tag('latest', 'A'), del('A')] })
    await keepsItsPromises({ operations: [tag('latest', 'A'), del('A')], replicas: 1 })
  })

  it('does not dangle when a ticket is completed while its version is deleted', async () => {
    await keepsItsPromises({ operations: [complete('t1', 'D'), del('D')] })
  })

  it('falls back to the version that was acknowledged before the deleted one', async () => {
    const before = [up('A'), up('B'), up('A'), up('C')]
    await keepsItsPromises({ before, operations: [del('C')] })
    await keepsItsPromises({ operations: [up('D'), up('E'), del('E')], inTurnFrom: 2 })
  })

  it('is always found while other versions of the document are deleted', async () => {
    await keepsItsPromises({ operations: [get('latest'), del('B')] })
  })

  it('is there after a deletion of the last version whose calls arrive late', async () => {
    await keepsItsPromises({ before: [up('A')], operations: [del('A'), up('B')], ...inTurn }, oneTrouble)
  })
})

describe('another tag', () => {
  it('does not dangle when it is moved to a version that is being deleted', async () => {
    await keepsItsPromises({ operations: [tag('stable', 'A'), del('A')] })
    await keepsItsPromises({ operations: [tag('stable', 'A'), del('A')], replicas: 1 })
  })

  it('does not dangle when the deleted version is uploaded again at the same time', async () => {
    await keepsItsPromises({ operations: [tag('stable', 'A'), del('A'), up('A')], replicas: 3 })
  })

  it('stays where it was moved last when an earlier move arrives late', async () => {
    await keepsItsPromises({ operations: [tag('stable', 'A'), tag('stable', 'B')], ...inTurn }, oneTrouble)
  })
})

describe('an acknowledged version', () => {
  it('is not removed by a retention rule that met its upload', async () => {
    await keepsItsPromises({ operations: [up('A'), retain('A')] })
    await keepsItsPromises({ operations: [up('A'), retain('A')], replicas: 1 })
  })

  it('is there when it was streamed while it was deleted, or while another client streamed it', async () => {
    await keepsItsPromises({ operations: [up('s'), del('s')], before: [up('s')] })
    await keepsItsPromises({ operations: [up('s'), del('s')], before: [up('s')], replicas: 1 })
    await keepsItsPromises({ operations: [up('s'), up('s'), del('s')], replicas: 3 })
  })

  it('is not removed by a deletion that was given up before its upload began', async () => {
    await keepsItsPromises({ operations: [del('A'), up('A'), up('A')], ...inTurn }, oneTrouble)
  })
})

describe('a ticket', () => {
  it('is completed once when two replicas complete it', async () => {
    await keepsItsPromises({ operations: [complete('t1', 'D'), complete('t1', 'D')] })
  })

  it('does not bring its version back when a slow completion ends after the deletion', async () => {
    const operations = [complete('t1', 'D'), complete('t1', 'D'), del('D')]
    await keepsItsPromises({ operations, replicas: 3 })
  })

  it('does not bring its version back when a completion that was killed is repeated after the deletion', async () => {
    const operations = [complete('t1', 'D'), del('D'), complete('t1', 'D')]
    await keepsItsPromises({ operations, replicas: 3, ...inTurn }, oneTrouble)
  })

  it('leaves a latest version when its completion is killed half-way', async () => {
    await keepsItsPromises({ before: [], operations: [complete('t1', 'D')] }, oneTrouble)
  })
})
