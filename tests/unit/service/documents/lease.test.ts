import { describe, expect, it } from 'bun:test'
import { createLeases, type Lease, type Outcome } from '../../../../service/documents/lease.ts'
import { limits } from '../../../../service/limits.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const upload = { tenant: 'acme', id: 'a7c1' }
const key = 'staging/acme/a7c1.lease'

/** The leases of two replicas on a store whose clock the test sets. */
function twoReplicas() {
  let now = Date.parse('2026-11-29T12:00:00Z')
  const store = createMemoryObjectStore({ now: () => new Date(now) })
  const take = async (deletion: string | null = null) => createLeases(store).take(upload, deletion)
  const silence = () => {
    now += (limits.leaseSilenceSeconds + 1) * 1000
  }
  return { store, take, silence }
}

function held(taken: Lease | Outcome | null): Lease {
  if (taken === null || typeof taken === 'string') throw new Error(`not held: ${taken}`)
  return taken
}

describe('the lease of an upload', () => {
  it('is held by one attempt alone, however many try at once', async () => {
    const { take } = twoReplicas()
    const taken = await Promise.all(Array.from({ length: 8 }, () => take()))
    const [holder, ...others] = taken.filter((lease) => lease !== null)
    expect(others).toEqual([])
    expect(await held(holder ?? null).isHeld()).toBe(true)
  })

  it('tells later attempts how the first one ended', async () => {
    for (const outcome of ['published', 'deleted'] as const) {
      const { take, silence } = twoReplicas()
      const lease = held(await take())
      await lease.finish(outcome)
      silence()
      expect(await take()).toBe(outcome)
      expect(await lease.isHeld()).toBe(true)
    }
  })

  it('is free again once it was given back', async () => {
    const { take } = twoReplicas()
    const first = held(await take())
    await first.giveBack(true)
    expect(await first.isHeld()).toBe(false)
    expect(await held(await take()).isHeld()).toBe(true)
  })

  it('is taken from a holder that is silent for too long by the clock of the store', async () => {
    const { take, silence } = twoReplicas()
    const first = held(await take())
    expect(await take()).toBeNull()
    silence()
    const second = held(await take())
    expect([await first.isHeld(), await second.isHeld()]).toEqual([false, true])
    // What the first one still says is not heard.
    await first.finish('published')
    expect(await second.isHeld()).toBe(true)
  })

  it('is taken by one of many that find it silent', async () => {
    const { take, silence } = twoReplicas()
    held(await take())
    silence()
    const taken = await Promise.all(Array.from({ length: 8 }, () => take()))
    expect(taken.filter((lease) => lease !== null)).toHaveLength(1)
  })

  it('is free where its text is damaged', async () => {
    const { store, take } = twoReplicas()
    await store.put(key, new TextEncoder().encode('{'), { size: 1, contentType: 'text/plain' })
    expect(held(await take('d1')).deletion).toBe('d1')
  })
})

describe('the deletion that an upload has to respect', () => {
  it('is the one that was noted when the first attempt began that may have published bytes', async () => {
    const { take, silence } = twoReplicas()
    held(await take('d1'))
    silence()
    const second = held(await take('d2'))
    expect(second.deletion).toBe('d1')
    await second.giveBack(false)
    expect(held(await take('d3')).deletion).toBe('d1')
  })

  it('is the present one if no attempt before can have published anything', async () => {
    const { take } = twoReplicas()
    await held(await take('d1')).giveBack(true)
    expect(held(await take('d2')).deletion).toBe('d2')
  })
})
