import { describe, expect, it } from 'bun:test'
import { inOrder } from '../../../../service/documents/in-order.ts'
import { until } from '../../../support/waiting.ts'

describe('work in order', () => {
  async function* numbers(count: number, taken: number[] = []): AsyncGenerator<number> {
    for (let at = 0; at < count; at += 1) {
      taken.push(at)
      yield at
    }
  }

  it('yields results in the order of the items, with a bounded number under way', async () => {
    let underWay = 0
    let most = 0
    const results = inOrder(numbers(20), { parallelMax: 3, aheadMax: 6 }, async (at) => {
      underWay += 1
      most = Math.max(most, underWay)
      await Bun.sleep(at % 3)
      underWay -= 1
      return at
    })
    expect(await Array.fromAsync(results)).toEqual(Array.from({ length: 20 }, (_, at) => at))
    expect(most).toBe(3)
  })

  it('lets other items overtake a slow one, up to a bound', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const taken: number[] = []
    const results = inOrder(numbers(50, taken), { parallelMax: 2, aheadMax: 8 }, async (at) => {
      if (at === 0) await promise
      return at
    })
    const first = results.next()
    await until(() => taken.length >= 8)
    expect(taken).toHaveLength(8)
    resolve()
    expect(await first).toMatchObject({ value: 0 })
    await results.return(undefined)
  })

  it('throws what failed in its turn, after all that is under way has ended', async () => {
    const ended: number[] = []
    const given: number[] = []
    const results = inOrder(numbers(20), { parallelMax: 2, aheadMax: 4 }, async (at) => {
      await Bun.sleep(at === 1 ? 1 : 5)
      ended.push(at)
      if (at === 1) throw new Error('one')
      return at
    })
    const run = async () => {
      for await (const result of results) given.push(result)
    }
    await expect(run()).rejects.toThrow('one')
    expect(given).toEqual([0])
    const before = ended.length
    await Bun.sleep(20)
    expect(ended).toHaveLength(before)
    expect(before).toBeLessThan(5)
  })
})
