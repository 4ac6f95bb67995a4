import { describe, expect, it } from 'bun:test'
import { lokiKeyForms } from '../../../../../observability/proof/formats/loki-keys.ts'
import { canaryChange, putCanary } from '../../../../../observability/proof/store/canary.ts'
import { changedOutside, contain, countsText } from '../../../../../observability/proof/store/containment.ts'
import { type Listing, listObjects, newKeys } from '../../../../../observability/proof/store/objects.ts'
import { tryCopy, tryStore } from '../../../../../observability/proof/store/preflight.ts'
import type { ObjectStore } from '../../../../../service/object-store/object-store.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const loki = { prefix: 'loki/', forms: lokiKeyForms }
const documents = { prefix: 'docs/', forms: null }
const chunk = 'fake/7069e799ff3506d9/1a21286d622:1a21286d623:6ba94731'

describe('contain', () => {
  it('counts what lies below the prefix by its form', () => {
    const keys = [`loki/${chunk}`, 'loki/index/index_1/1-vm-1.tsdb.gz', 'loki/loki_cluster_seed.json']
    const { counts, outside, unknown } = contain(keys, [loki])
    expect(counts).toEqual({ chunk: 1, index: 1, 'cluster seed': 1 })
    expect([...outside, ...unknown]).toEqual([])
    expect(countsText(counts)).toBe('1 chunk, 1 index, 1 cluster seed')
  })

  it('finds what lies outside: at the root, and where a prefix only looks alike', () => {
    const keys = [chunk, 'rules/fake/a/b', `lokis/${chunk}`, `other/loki/${chunk}`]
    expect(contain(keys, [loki]).outside).toEqual(keys)
  })

  it('finds what lies below the prefix and is of no known form', () => {
    expect(contain(['loki/notes.txt', `loki/loki/${chunk}`], [loki])).toMatchObject({
      outside: [],
      unknown: ['loki/notes.txt', `loki/loki/${chunk}`],
    })
  })

  it('leaves to others what lies in their own places', () => {
    const { foreign, outside } = contain(['docs/tenants/acme/a', 'docs2/a'], [loki, documents])
    expect({ foreign, outside }).toEqual({ foreign: 1, outside: ['docs2/a'] })
  })
})

describe('changedOutside', () => {
  const listing = (...entries: [key: string, etag: string][]): Listing =>
    new Map(entries.map(([key, etag]) => [key, { key, etag, size: 1, lastModified: new Date(0) }]))

  it('names what is gone or has other bytes, and not what lies below a prefix', () => {
    const before = listing(['a', '1'], ['b', '1'], ['c', '1'], ['loki/x', '1'])
    const after = listing(['a', '1'], ['b', '2'], ['loki/x', '2'], ['new', '1'])
    expect(changedOutside(before, after, [loki])).toEqual(['b', 'c'])
    expect(newKeys(before, after)).toEqual(['new'])
  })
})

describe('listObjects', () => {
  it('lists more than one page, all or below a prefix', async () => {
    const store = createMemoryObjectStore()
    for (let index = 0; index < 1001; index += 1) await put(store, `many/${index}`)
    await put(store, 'one')
    expect((await listObjects(store)).size).toBe(1002)
    expect((await listObjects(store, 'many/')).size).toBe(1001)
  })
})

describe('the canary', () => {
  it('sings only while it has its bytes and was not written again', async () => {
    const store = createMemoryObjectStore()
    const canary = await putCanary(store, 'validate-canary-1-loki/')
    expect(await canaryChange(store, canary)).toBeNull()
    await put(store, canary.key)
    expect(await canaryChange(store, canary)).toContain('has other bytes')
    await store.delete(canary.key)
    expect(await canaryChange(store, canary)).toContain('is gone')
  })
})

describe('tryStore', () => {
  it('takes every step on scratch keys, and leaves nothing', async () => {
    const store = createMemoryObjectStore()
    expect(await tryStore(store, 'loki/', 'id')).toEqual({
      good: ['put', 'get', 'list', 'multipart', 'delete'],
      bad: [],
      left: [],
    })
    expect(await tryCopy(store, 'loki/', 'id')).toBe(true)
    expect((await listObjects(store)).size).toBe(0)
  })

  it('says which step a store does not take, and which keys it keeps', async () => {
    const memory = createMemoryObjectStore()
    const keeping: ObjectStore = { ...memory, delete: () => Promise.reject(new Error('no')) }
    const { good, bad, left } = await tryStore(keeping, 'loki/', 'id')
    expect(good).toEqual(['put', 'get', 'list', 'multipart'])
    expect(bad).toEqual(['delete: no'])
    expect(left).toEqual(['loki/validate-preflight-id/one', 'loki/validate-preflight-id/parts'])
  })

  it('does not take other bytes for a copy', async () => {
    const memory = createMemoryObjectStore()
    const wrong: ObjectStore = {
      ...memory,
      async copy(_, to) {
        await put(memory, to)
        return { etag: 'x' }
      },
    }
    expect(await tryCopy(wrong, 'tempo/', 'id')).toBe(false)
  })
})

async function put(store: ObjectStore, key: string): Promise<void> {
  await store.put(key, Uint8Array.of(1), { size: 1, contentType: 'text/plain' })
}
