import { describe, expect, it } from 'bun:test'
import type { DocumentError } from '../../../../service/documents/document-error.ts'
import { createUploadBudget, type Sender } from '../../../../service/documents/upload-budget.ts'
import { limits } from '../../../../service/limits.ts'
import { until } from '../../../support/waiting.ts'

const KiB = 1024
const MiB = 1024 * KiB
const { signal } = new AbortController()

function senderOf(tenant: string, rate = Number.POSITIVE_INFINITY) {
  const reasons: DocumentError[] = []
  const sender: Sender = { tenant, signal, rate: () => rate, giveUp: (reason) => reasons.push(reason) }
  return { sender, reasons }
}

/** Whether a promise has settled once everything has happened that does not wait for time. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), Bun.sleep(5).then(() => false)])
}

describe('memory for uploads', () => {
  it('is there for a small body of a tenant while another tenant holds all that large bodies can have', async () => {
    const budget = createUploadBudget()
    const { sender } = senderOf('greedy')
    let held = 0
    for (;;) {
      const hold = budget.memory(sender, 8 * MiB).hold(8 * MiB)
      if (!(await isSettled(hold))) break
      held += 8 * MiB
    }
    expect(held).toBeLessThanOrEqual(limits.buffersBytesMax - limits.smallBuffersBytesMax)
    const other = senderOf('modest').sender
    expect(await isSettled(budget.memory(other, 5).hold(5))).toBe(true)
    expect(await isSettled(budget.memory(other, undefined).hold(64 * KiB))).toBe(true)
  })

  it('is free for other small bodies again once one turns out to be large', async () => {
    const budget = createUploadBudget()
    const { sender } = senderOf('acme')
    const places = limits.smallBuffersBytesMax / limits.smallBufferBytesMax
    for (let round = 0; round < 2 * places; round += 1) {
      const memory = budget.memory(sender, undefined)
      await memory.hold(64 * KiB)
      await memory.hold(128 * KiB)
    }
  })

  it('lets the oldest upload grow to its full size, so that growing cannot deadlock', async () => {
    const budget = createUploadBudget()
    const { sender } = senderOf('acme')
    const memories = Array.from({ length: 100 }, () => budget.memory(sender, 8 * MiB))
    for (const memory of memories) await memory.hold(4 * KiB)
    const grown = memories.map(async (memory) => {
      await memory.hold(4 * MiB)
      await memory.hold(8 * MiB)
      memory.release()
      memory.release()
    })
    await Promise.all(grown)
  })

  it('is taken back from the slowest upload of the tenant that holds most when another tenant waits', async () => {
    const budget = createUploadBudget()
    const fast = senderOf('greedy')
    const slow = senderOf('greedy', 1000)
    const slower = senderOf('greedy', 10)
    const all = [fast, slow, slower, fast, fast, fast, fast].map(({ sender }) =>
      budget.memory(sender, 8 * MiB),
    )
    for (const memory of all) await memory.hold(8 * MiB)
    const waiting = budget.memory(senderOf('modest').sender, 8 * MiB).hold(8 * MiB)
    await until(() => slower.reasons.length > 0)
    expect(slower.reasons[0]).toMatchObject({ code: 'busy' })
    expect([slow.reasons, fast.reasons]).toEqual([[], []])
    all[2]?.release()
    await waiting
  })
})

describe('leave to promote', () => {
  it('is there for a small upload and for a large one of another tenant while one tenant promotes what it may', async () => {
    const budget = createUploadBudget()
    const large = (tenant: string) => budget.promotion({ tenant, size: 128 * MiB, signal })
    const small = (tenant: string) => budget.promotion({ tenant, size: KiB, signal })
    const ends = await Promise.all([large('greedy'), large('greedy')])
    const third = large('greedy')
    expect(await isSettled(third)).toBe(false)
    expect(await isSettled(large('modest'))).toBe(true)
    expect(await isSettled(small('modest'))).toBe(true)
    ends[0]?.()
    expect(await isSettled(third)).toBe(true)
  })

  it('never holds more connections than promotions may', async () => {
    const budget = createUploadBudget()
    const begun = await Promise.all(
      Array.from({ length: limits.promotionsMax }, () =>
        budget.promotion({ tenant: 'a', size: KiB, signal }),
      ),
    )
    const further = budget.promotion({ tenant: 'b', size: KiB, signal })
    expect(await isSettled(further)).toBe(false)
    begun[0]?.()
    begun[0]?.()
    expect(await isSettled(further)).toBe(true)
  })
})
