import { describe, expect, it } from 'bun:test'
import { limits } from '../../../../service/limits.ts'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import { decidedInProcess } from '../../../../service/object-store/single-writer.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'
import { unconditional } from '../../../support/stores/unconditional-object-store.ts'
import { until } from '../../../support/waiting.ts'

const contentType = 'text/plain'
const condition = { absent: true } as const
const abc = new TextEncoder().encode('abc')
const three = { size: 3, contentType }

/** A store without conditions whose writes wait until they are let through. */
function gated() {
  const memory = createMemoryObjectStore()
  const begun: string[] = []
  const gate = Promise.withResolvers<void>()
  const bare: ObjectStore = {
    ...unconditional(memory),
    async put(key, body, options) {
      begun.push(`put ${key}`)
      await gate.promise
      return unconditional(memory).put(key, body, options)
    },
    async delete(key) {
      begun.push(`delete ${key}`)
      await memory.delete(key)
    },
  }
  return { store: decidedInProcess(bare), begun, open: gate.resolve }
}

describe('decidedInProcess', () => {
  it('is needed: without it, all racers for a key of such a store win', async () => {
    const store = unconditional(createMemoryObjectStore())
    const puts = await Promise.all([1, 2, 3].map(() => store.put('a', abc, { ...three, condition })))
    expect(puts.filter((put) => put !== null)).toHaveLength(3)
  })

  it('holds the turn of a key until the write has ended, and lets other keys pass', async () => {
    const { store, begun, open } = gated()
    const writes = [store.put('a', abc, { ...three, condition }), store.put('a', abc, three)]
    const others = [store.delete('a'), store.put('b', abc, three)]
    await until(() => begun.includes('put a') && begun.includes('put b'))
    expect(begun).toHaveLength(2)
    open()
    await Promise.all([...writes, ...others])
    expect(begun.slice(2)).toEqual(['put a', 'delete a'])
    expect(await store.head('a')).toBeNull()
  })

  it('lets a caller give up that waits for its turn, cancels its body, and serves the next one', async () => {
    const { store, begun, open } = gated()
    const first = store.put('a', abc, three)
    const reason = new Error('the client went away')
    const abort = new AbortController()
    const cancelled = Promise.withResolvers<unknown>()
    const body = new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve('cancelled') })
    const second = store.put('a', body, { ...three, signal: abort.signal })
    const third = store.put('a', abc, { ...three, condition })
    abort.abort(reason)
    await expect(second).rejects.toBe(reason)
    expect(await cancelled.promise).toBe('cancelled')
    open()
    await first
    expect(await third).toBeNull()
    expect(begun).toEqual(['put a'])
  })

  it('is busy within 2 s for a write that meets a half-sent one of the same key, which then still succeeds', async () => {
    const { store, begun, open } = gated()
    const first = store.put('a', abc, { ...three, condition })
    await until(() => begun.length === 1)
    expect(limits.writeTurnSecondsMax).toBeLessThanOrEqual(2)
    await expect(store.put('a', abc, { ...three, condition })).rejects.toMatchObject({ code: 'busy' })
    await expect(store.delete('a')).rejects.toMatchObject({ code: 'busy' })
    open()
    expect(await first).not.toBeNull()
  })

  it('serves the next one after a write that failed', async () => {
    let failures = 1
    const memory = createMemoryObjectStore()
    const store = decidedInProcess({
      ...memory,
      put: (key, body, options) =>
        failures-- > 0 ? Promise.reject(new Error('reset')) : memory.put(key, body, options),
    })
    const [first, second] = [store.put('a', abc, three), store.put('a', abc, { ...three, condition })]
    await expect(first).rejects.toThrow('reset')
    expect(await second).not.toBeNull()
  })
})
