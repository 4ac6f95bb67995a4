import { describe, expect, it } from 'bun:test'
import { recordFigure } from '../support/figures.ts'
import { randomOf, replayOf, seedOf } from '../support/seed.ts'
import { sizeOf } from '../support/sizes.ts'
import { calm, chooseAtRandom, rough } from './choosers.ts'
import { randomPlan } from './mixes.ts'
import { describePlan } from './plan.ts'
import { type Run, runSchedule } from './schedule.ts'

const schedules = sizeOf({ test: 3000, long: 100_000, of: 'random schedules' })
const firstSeed = seedOf(import.meta)

/** Everything about a schedule follows from its seed. */
async function runRandom(seed: number): Promise<Run & { plan: string }> {
  const random = randomOf(seed)
  const plan = randomPlan(random)
  const rates = random.chance(0.4) ? calm : rough
  const run = await runSchedule(plan, chooseAtRandom(random.below(2 ** 32), rates))
  return { ...run, plan: describePlan(plan) }
}

describe('random schedules of several operations', () => {
  it('keep all promises, also when processes are killed and calls are lost, late or repeated', async () => {
    let steps = 0
    for (let at = 0; at < schedules; at += 1) {
      const seed = (firstSeed + at) % 2 ** 32
      const { broken, log, plan } = await runRandom(seed)
      steps += log.length
      if (broken.length === 0) continue
      const replay = `to repeat it: ${replayOf(import.meta, { seed, size: 1 })}`
      throw new Error([plan, ...broken, ...log, replay].join('\n'))
    }
    recordFigure('interleavings', { name: 'random schedules', value: schedules, unit: '' })
    recordFigure('interleavings', { name: 'steps of them', value: steps, unit: '' })
  }, 0)

  it('are the same for the same seed', async () => {
    const seeds = Array.from({ length: 20 }, (_, at) => (firstSeed + at) % 2 ** 32)
    for (const seed of seeds) {
      const [one, other] = [await runRandom(seed), await runRandom(seed)]
      expect(withoutIds(one.log)).toEqual(withoutIds(other.log))
    }
  })
})

function withoutIds(log: readonly string[]): string[] {
  return log.map((line) => line.replace(/[0-9a-f]{32}/g, 'id'))
}
