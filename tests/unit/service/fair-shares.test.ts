import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { createFairShares, type Share, type WaitingRequest } from '../../../service/fair-shares.ts'

const patient = { waitSecondsMax: 10 }
const impatient = { waitSecondsMax: 0.01 }

/** The share, of one that must have been granted. */
function granted(share: Share | null): Share {
  if (share === null) throw new Error('not granted')
  return share
}

/** Lets everything happen that does not wait for time. */
const settled = () => Bun.sleep(0)

describe('fair shares', () => {
  it('give everything to a tenant that no one competes with', async () => {
    const shares = createFairShares({ permitsMax: 4 })
    for (let taken = 0; taken < 4; taken += 1) {
      expect(await shares.acquire(1, { tenant: 'a', ...impatient })).not.toBe(null)
    }
    expect(await shares.acquire(1, { tenant: 'a', ...impatient })).toBe(null)
  })

  it('serve the tenant that holds least, however long the line of another one is', async () => {
    const shares = createFairShares({ permitsMax: 4 })
    const held = await Promise.all(
      [1, 2, 3, 4].map(async () => granted(await shares.acquire(1, { tenant: 'a', ...patient }))),
    )
    const order: string[] = []
    const wait = async (tenant: string) => {
      await shares.acquire(1, { tenant, ...patient })
      order.push(tenant)
    }
    for (const tenant of ['a', 'a', 'a', 'b', 'c', 'b']) void wait(tenant)
    await settled()
    for (const share of held) share.release()
    await settled()
    // Then all hold one, and the earliest comes first.
    expect(order).toEqual(['b', 'c', 'a', 'a'])
  })

  it('let a small request pass a large one of a tenant that holds more', async () => {
    const shares = createFairShares({ permitsMax: 8 })
    await shares.acquire(4, { tenant: 'a', ...patient })
    const large = shares.acquire(6, { tenant: 'a', ...impatient })
    expect(await shares.acquire(1, { tenant: 'b', ...impatient })).not.toBe(null)
    expect(await large).toBe(null)
  })

  it('serve those of one tenant in the order in which they came', async () => {
    const shares = createFairShares({ permitsMax: 2 })
    const first = granted(await shares.acquire(2, { tenant: 'a', ...patient }))
    const order: string[] = []
    const large = shares.acquire(2, { tenant: 'a', ...patient }).then((share) => {
      order.push('large')
      granted(share).release()
    })
    const small = shares.acquire(1, { tenant: 'a', ...patient }).then(() => order.push('small'))
    first.release()
    await Promise.all([large, small])
    expect(order).toEqual(['large', 'small'])
  })

  it('let no request of the same tenant pass an earlier one', async () => {
    const shares = createFairShares({ permitsMax: 2 })
    const first = granted(await shares.acquire(1, { tenant: 'a', ...patient }))
    const large = shares.acquire(2, { tenant: 'a', ...patient })
    expect(await shares.acquire(1, { tenant: 'a', ...impatient })).toBe(null)
    first.release()
    expect(await large).not.toBe(null)
  })

  it('put a tenant within its share before one that would leave it, also if that one holds less', async () => {
    const shares = createFairShares({ permitsMax: 8, shareMax: 3 })
    const other = granted(await shares.acquire(4, { tenant: 'other', ...patient }))
    await shares.acquire(2, { tenant: 'more', ...patient })
    await shares.acquire(1, { tenant: 'less', ...patient })
    const order: string[] = []
    void shares.acquire(3, { tenant: 'less', ...patient }).then(() => order.push('less'))
    void shares.acquire(1, { tenant: 'more', ...patient }).then(() => order.push('more'))
    await settled()
    other.release()
    await settled()
    expect(order).toEqual(['more', 'less'])
  })

  it('never give one tenant more than it may have, and serve those who wait behind it', async () => {
    const shares = createFairShares({ permitsMax: 3, tenantMax: 2 })
    const held = granted(await shares.acquire(2, { tenant: 'a', ...patient }))
    const third = shares.acquire(1, { tenant: 'a', ...patient })
    expect(await shares.acquire(1, { tenant: 'b', ...impatient })).not.toBe(null)
    expect(await Promise.race([third, settled()])).toBe(undefined)
    held.release()
    expect(await third).not.toBe(null)
    await expect(shares.acquire(3, { tenant: 'c', ...patient })).rejects.toThrow(RangeError)
  })

  it('report who takes what belongs to a tenant that has to wait', async () => {
    const reports: WaitingRequest[] = []
    const shares = createFairShares({ permitsMax: 4, onWait: (waiting) => reports.push(waiting) })
    await shares.acquire(3, { tenant: 'a', ...patient })
    await shares.acquire(1, { tenant: 'b', ...patient })
    for (const tenant of ['a', 'b', 'c']) {
      expect(await shares.acquire(1, { tenant, ...impatient })).toBe(null)
    }
    expect(reports).toEqual([
      { tenant: 'a', holdsMost: 'a', isStarved: false },
      { tenant: 'b', holdsMost: 'a', isStarved: false },
      { tenant: 'c', holdsMost: 'a', isStarved: true },
    ])
  })

  it('report a tenant that holds nothing as starved although no other one holds more than its share', async () => {
    const reports: WaitingRequest[] = []
    const shares = createFairShares({ permitsMax: 8, onWait: (waiting) => reports.push(waiting) })
    for (const tenant of ['a', 'b', 'c', 'd']) await shares.acquire(2, { tenant, ...patient })
    expect(await shares.acquire(1, { tenant: 'e', ...impatient })).toBe(null)
    expect(reports).toEqual([{ tenant: 'e', holdsMost: 'a', isStarved: true }])
  })

  it('report a request again and again while it waits, if not at once', async () => {
    const noticed = Promise.withResolvers<void>()
    let notices = 0
    const shares = createFairShares({
      permitsMax: 1,
      waitNoticeSeconds: 0.001,
      onWait() {
        notices += 1
        if (notices === 3) noticed.resolve()
      },
    })
    const first = granted(await shares.acquire(1, { tenant: 'a', ...patient }))
    const second = shares.acquire(1, { tenant: 'b', ...patient })
    expect(notices).toBe(0)
    await noticed.promise
    first.release()
    expect(await second).not.toBe(null)
  })

  it('give no more than there are after they became fewer, and serve those that wait once they are more', async () => {
    const shares = createFairShares({ permitsMax: 2 })
    const first = granted(await shares.acquire(1, { tenant: 'a', ...patient }))
    const second = granted(await shares.acquire(1, { tenant: 'a', ...patient }))
    shares.resize(1)
    first.release()
    expect(await shares.acquire(1, { tenant: 'b', ...impatient })).toBe(null)
    second.release()
    expect(await shares.acquire(1, { tenant: 'b', ...impatient })).not.toBe(null)
    const waiting = shares.acquire(1, { tenant: 'b', ...patient })
    shares.resize(2)
    expect(await waiting).not.toBe(null)
  })

  it('serve those behind a request that gives up, is aborted, or is released', async () => {
    const shares = createFairShares({ permitsMax: 2 })
    const first = granted(await shares.acquire(1, { tenant: 'a', ...patient }))
    const gone = new AbortController()
    const aborted = shares.acquire(2, { tenant: 'a', ...patient, signal: gone.signal })
    const late = shares.acquire(2, { tenant: 'a', ...impatient })
    const next = shares.acquire(1, { tenant: 'a', ...patient })
    gone.abort(new Error('disconnected'))
    expect(await Promise.allSettled([aborted])).toEqual([
      { status: 'rejected', reason: new Error('disconnected') },
    ])
    expect(await late).toBe(null)
    expect(await next).not.toBe(null)
    const last = shares.acquire(1, { tenant: 'a', ...patient })
    first.release()
    first.release()
    expect(await last).not.toBe(null)
    expect(await shares.acquire(1, { tenant: 'a', ...impatient })).toBe(null)
    await expect(shares.acquire(1, { tenant: 'a', ...patient, signal: gone.signal })).rejects.toThrow(
      'disconnected',
    )
  })

  it('let the oldest holder grow at once, whatever others hold and wait for', async () => {
    const shares = createFairShares({ permitsMax: 16, growthMax: 8 })
    const oldest = granted(await shares.acquire(1, { tenant: 'a', ...patient }))
    let others = 0
    while (await shares.acquire(1, { tenant: 'b', ...impatient })) others += 1
    expect(others).toBe(8)
    expect(await oldest.grow(7, impatient)).toBe(true)
    await expect(oldest.grow(1, impatient)).rejects.toThrow(RangeError)
  })

  it('leave as much room as a tenant takes, if they may be held for long', async () => {
    const shares = createFairShares({ permitsMax: 12, leavesRoom: true })
    const taken = async (tenant: string) => {
      let permits = 0
      while (await shares.acquire(1, { tenant, ...impatient })) permits += 1
      return permits
    }
    // Half of all, half of what is left, and so on; the last one is taken by a tenant that holds nothing.
    expect([await taken('a'), await taken('b'), await taken('c'), await taken('d')]).toEqual([6, 3, 2, 1])
    expect(await taken('e')).toBe(0)
    const exceeding = ['a', 'b', 'c', 'd', 'e'].filter((tenant) => shares.exceedsShare(tenant, 1))
    expect(exceeding).toEqual(['a', 'b'])
  })

  it('refuse what could never be granted', async () => {
    await expect(createFairShares({ permitsMax: 2 }).acquire(3, { tenant: 'a', ...patient })).rejects.toThrow(
      RangeError,
    )
    expect(() => createFairShares({ permitsMax: 2, growthMax: 3 })).toThrow(RangeError)
  })

  it('never give more than there is, and let every holder grow to its full size in the end, in whichever order they come', async () => {
    const clients = fc.array(
      fc.record({
        tenant: fc.constantFrom('a', 'b', 'c'),
        first: fc.integer({ min: 1, max: 4 }),
        steps: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
        pauses: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      }),
      { maxLength: 24 },
    )
    await fc.assert(
      fc.asyncProperty(clients, async (all) => {
        const shares = createFairShares({ permitsMax: 20, growthMax: 12 })
        let held = 0
        const hold = (permits: number) => {
          held += permits
          expect(held).toBeLessThanOrEqual(20)
        }
        const work = all.map(async ({ tenant, first, steps, pauses }) => {
          const share = granted(await shares.acquire(first, { tenant, ...patient }))
          hold(first)
          for (const [at, step] of steps.entries()) {
            if (pauses[at]) await settled()
            expect(await share.grow(step, patient)).toBe(true)
            hold(step)
          }
          if (pauses[2]) await settled()
          hold(-steps.reduce((sum, step) => sum + step, first))
          share.release()
        })
        await Promise.all(work)
        expect(await shares.acquire(20, { tenant: 'd', ...impatient })).not.toBe(null)
      }),
      { numRuns: 300 },
    )
  })
})
