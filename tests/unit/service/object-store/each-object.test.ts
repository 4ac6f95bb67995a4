import { describe, expect, it } from 'bun:test'
import { limits } from '../../../../service/limits.ts'
import { eachObject, objectsAfter } from '../../../../service/object-store/each-object.ts'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const keys = Array.from(
  { length: 2 * limits.listLimitMax + 2 },
  (_, at) => `a/${String(at).padStart(5, '0')}`,
)

async function filled(names: readonly string[] = [...keys, 'b/1']): Promise<ObjectStore> {
  const store = createMemoryObjectStore()
  await Promise.all(
    names.map((key) => store.put(key, new Uint8Array(), { size: 0, contentType: 'text/plain' })),
  )
  return store
}

/** Lists the keys below `a/`; before the page that begins at each of `pauses`, a token grows too old. */
async function keysBelow(
  store: ObjectStore,
  pauses: Readonly<Record<string, () => Promise<unknown>>> = {},
): Promise<{ listed: string[]; tokens: (string | undefined)[] }> {
  const tokens: (string | undefined)[] = []
  const list: ObjectStore['list'] = (options) => {
    tokens.push(options.token)
    return store.list(options)
  }
  let now = 0
  const listed: string[] = []
  for await (const { key } of eachObject({ list }, 'a/', { now: () => now })) {
    listed.push(key)
    const pause = pauses[key]
    if (pause === undefined) continue
    await pause()
    now += limits.listTokenSecondsMax * 1000
  }
  return { listed, tokens }
}

const nothing = async () => {}
const [lastOfFirstPage = '', firstOfSecondPage = ''] = keys.slice(limits.listLimitMax - 1)

describe('eachObject', () => {
  it('yields every key of a prefix once, from one list call per thousand keys that continues by token', async () => {
    const { listed, tokens } = await keysBelow(await filled())
    expect(listed).toEqual(keys)
    expect(tokens.map((token) => token !== undefined)).toEqual([false, true, true])
  })

  it('reads the listing again up to its place where a token has grown old', async () => {
    const { listed, tokens } = await keysBelow(await filled(), { [lastOfFirstPage]: nothing })
    expect(listed).toEqual(keys)
    expect(tokens.map((token) => token !== undefined)).toEqual([false, false, true, true])
  })

  it('finds its place where keys were added and removed before it meanwhile', async () => {
    const store = await filled()
    const { listed } = await keysBelow(store, {
      async [firstOfSecondPage]() {
        await store.delete(keys[3] ?? '')
        for (const key of ['a/00000x', 'a/00000y', 'a/00000z']) {
          await store.put(key, new Uint8Array(), { size: 0, contentType: 'text/plain' })
        }
      },
    })
    expect(listed).toEqual(keys)
  })

  it('yields each key once where the last one of its page was removed meanwhile', async () => {
    const store = await filled()
    const { listed } = await keysBelow(store, { [lastOfFirstPage]: () => store.delete(lastOfFirstPage) })
    expect(listed).toEqual(keys)
  })

  it('begins again where a whole page was removed meanwhile, and leaves out no key', async () => {
    const store = await filled()
    const { listed } = await keysBelow(store, {
      [lastOfFirstPage]: () =>
        Promise.all(keys.slice(0, limits.listLimitMax).map((key) => store.delete(key))),
    })
    expect(listed).toEqual(keys)
  })
})

describe('objectsAfter', () => {
  const after = async (key: string | undefined) => {
    const store = await filled(['a/1', 'a/2', 'a/3'])
    const listing = () => eachObject(store, 'a/')
    return (await Array.fromAsync(objectsAfter(listing, key))).map((object) => object.key)
  }

  it('yields what follows a key', async () => {
    expect(await after('a/2')).toEqual(['a/3'])
    expect(await after('a/3')).toEqual([])
  })

  it('yields everything where no key or one that is gone is given', async () => {
    expect(await after(undefined)).toEqual(['a/1', 'a/2', 'a/3'])
    expect(await after('a/1x')).toEqual(['a/1', 'a/2', 'a/3'])
  })
})
