import { describe, expect, it } from 'bun:test'
import type { ObjectStore, PutOptions } from '../../service/object-store/object-store.ts'
import { type ExploreOptions, explore } from './explored.ts'
import { del, longWait, type Plan, readTag, tag, twoVersions, up } from './plan.ts'

/** Broken promises are looked for in this many schedules at most; the right store keeps them in all of these. */
const max = 400

async function brokenOf(
  plan: Partial<Plan>,
  weaken: (store: ObjectStore) => ObjectStore,
  options: Partial<ExploreOptions> = {},
): Promise<{ without: boolean; with: boolean }> {
  const whole = { before: twoVersions, operations: [], replicas: 2, ...plan }
  const weak = await explore(whole, { max, ...options, weaken })
  const right = await explore(whole, { max, ...options })
  return { without: weak.broken > 0, with: right.broken > 0 }
}

/** Returns a store that changes the options of each put. */
function puttingWith(
  store: ObjectStore,
  change: (key: string, options: PutOptions) => PutOptions,
): ObjectStore {
  return { ...store, put: (key, body, options) => store.put(key, body, change(key, options)) }
}

const isRecord = (key: string) => key.includes('/records/')
const isVersion = (key: string) => key.includes('/documents/')

function withoutCondition({ condition: _, ...options }: PutOptions): PutOptions {
  return options
}

describe('a store with a defence less', () => {
  it('breaks promises when it ignores all conditions on records', async () => {
    const weaken = (store: ObjectStore) =>
      puttingWith(store, (key, options) => (isRecord(key) ? withoutCondition(options) : options))
    const found = await brokenOf({ operations: [up('D'), tag('stable', 'A')] }, weaken)
    expect(found).toEqual({ without: true, with: false })
  })

  it('breaks promises when it ignores If-None-Match on the record of a new document', async () => {
    const weaken = (store: ObjectStore) =>
      puttingWith(store, (key, options) =>
        isRecord(key) && options.condition && 'absent' in options.condition
          ? withoutCondition(options)
          : options,
      )
    const found = await brokenOf({ before: [], operations: [up('D'), up('E'), tag('stable', 'D')] }, weaken)
    expect(found).toEqual({ without: true, with: false })
  })

  it('breaks promises when it ignores If-None-Match on versions', async () => {
    const weaken = (store: ObjectStore) =>
      puttingWith(store, (key, options) => (isVersion(key) ? withoutCondition(options) : options))
    const found = await brokenOf({ operations: [up('D'), up('D')] }, weaken)
    expect(found).toEqual({ without: true, with: false })
  })

  it('breaks promises when it accepts a deletion after its expiry', async () => {
    const weaken = (store: ObjectStore): ObjectStore => ({
      ...store,
      async deleteBefore(key, { signal }) {
        await store.delete(key, { signal })
        return 'deleted'
      },
    })
    const operations = [del('A'), longWait, up('A')]
    const troubles = ['fault'] as const
    const found = await brokenOf({ operations, inTurnFrom: 0 }, weaken, { troubles })
    expect(found).toEqual({ without: true, with: false })
  })

  it('breaks promises when it calls a record unchanged that has changed', async () => {
    const weaken = (store: ObjectStore): ObjectStore => ({
      ...store,
      getWhole: async (key, options) => (options.unless ? 'unchanged' : store.getWhole(key, options)),
    })
    const operations = [tag('stable', 'A'), tag('stable', 'B'), readTag('stable')]
    const found = await brokenOf({ operations, inTurnFrom: 0 }, weaken)
    expect(found).toEqual({ without: true, with: false })
  })
})
