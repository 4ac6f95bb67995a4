import { describe, expect, it } from 'bun:test'
import { type Comparison, measure, type Side, type Target } from '../../../bench/comparison.ts'

/** A side that does so much in each second, round by round; the first run does not count. */
function sideOf(title: string, ...amounts: number[]): Side {
  const runs = [0, ...amounts]
  return { title, run: async (seconds) => ({ amount: (runs.shift() ?? 0) * seconds, seconds }) }
}

function measured(sides: readonly Side[], targets: readonly Target[]) {
  const comparison: Comparison = { operation: 'get', title: 'GET', unit: 'requests', sides, targets }
  return measure(comparison, { rounds: 3, seconds: 2, onRound: () => {} })
}

describe('a comparison', () => {
  it('compares sides round by round, and judges by the median of their ratios', async () => {
    const sides = [
      sideOf('store', 100, 10, 1000),
      sideOf('service', 50, 6, 100),
      sideOf('gateway', 40, 4, 200),
    ]
    const { verdicts } = await measured(sides, [
      { side: 'service', than: 'store', rateMin: 0.6 },
      { side: 'service', than: 'gateway', rateMin: 1.2 },
    ])
    expect(verdicts).toMatchObject([
      { ratio: { median: 0.5, min: 0.1, max: 0.6 }, met: false },
      { ratio: { median: 1.25, min: 0.5, max: 1.5 }, met: true },
    ])
  })

  it('measures the CPU time of the process that a side names', async () => {
    const busy: Side = {
      title: 'service',
      pid: process.pid,
      async run() {
        const end = process.cpuUsage().user + 50_000
        while (process.cpuUsage().user < end) Math.random()
        return { amount: 10, seconds: 1 }
      },
    }
    const { sides, verdicts } = await measured(
      [sideOf('store', 1, 1, 1), busy],
      [{ side: 'service', than: 'service', cpuMax: 1.2 }],
    )
    expect(Math.min(...(sides[1]?.cpu ?? []))).toBeGreaterThanOrEqual(3)
    expect(sides[0]?.cpu).toBeNull()
    expect(verdicts).toMatchObject([{ ratio: { median: 1 }, met: true }])
  })

  it('refuses a target about a side that is not measured', async () => {
    const unmeasured = measured([sideOf('store', 1, 1, 1)], [{ side: 'service', than: 'store', rateMin: 1 }])
    await expect(unmeasured).rejects.toThrow('service')
  })
})
