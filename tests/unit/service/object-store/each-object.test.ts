import { describe, expect, it } from 'bun:test'
import { limits } from '../../../../service/limits.ts'
import { eachObject } from '../../../../service/object-store/each-object.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

describe('eachObject', () => {
  it('yields every key of a prefix once, in order and from one list call per thousand keys', async () => {
    const store = createMemoryObjectStore()
    const keys = Array.from(
      { length: limits.listLimitMax + 2 },
      (_, at) => `a/${String(at).padStart(5, '0')}`,
    )
    for (const key of [...keys, 'b/1']) {
      await store.put(key, new Uint8Array(), { size: 0, contentType: 'text/plain' })
    }
    let calls = 0
    const counted: typeof store.list = (options) => {
      calls += 1
      return store.list(options)
    }
    const listed = async (after?: string) =>
      (await Array.fromAsync(eachObject({ list: counted }, 'a/', { after }))).map(({ key }) => key)
    expect(await listed()).toEqual(keys)
    expect(calls).toBe(2)
    expect(await listed(keys[3])).toEqual(keys.slice(4))
  })
})
