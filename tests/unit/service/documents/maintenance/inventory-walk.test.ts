import { describe, expect, it } from 'bun:test'
import {
  inventoriesPrefix,
  inventoryKey,
  inventoryWalkKey,
} from '../../../../../service/documents/document-key.ts'
import {
  inventoryTotals,
  takeInventories,
} from '../../../../../service/documents/maintenance/inventory-walk.ts'
import { limits } from '../../../../../service/limits.ts'
import { type ObjectStore, ObjectStoreError } from '../../../../../service/object-store/object-store.ts'
import { keysIn, replicaOn, uploadOf } from '../../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../../support/service/sample-documents.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const noSleep = { sleep: async () => {} }

/** A store with a clock, and the uploads of three tenants: `a` has most of them. */
async function filled() {
  const clock = { now: new Date('2026-11-01T12:00:00Z') }
  const store = createMemoryObjectStore({ now: () => clock.now })
  const { documents } = replicaOn(store)
  const put = (tenant: string, path: string, content: string) => {
    const [type = '', name = ''] = path.split('/')
    clock.now = new Date(clock.now.getTime() + 1000)
    return documents.put({ tenant, type, name }, uploadOf(Buffer.from(content)))
  }
  for (const content of ['1', '22', '333']) await put('a', 'bundles/app', content)
  await put('a', 'bundles/app-next', '4444')
  await put('a', 'reports/weekly', '55555')
  await put('b', 'bundles/app', '1')
  await put('c', 'bundles/app', '1')
  const later = (seconds: number) => {
    clock.now = new Date(clock.now.getTime() + seconds * 1000)
  }
  return { clock, store, documents, put, later }
}

/** Calls of the store beyond this number fail. */
function failingAfter(store: ObjectStore, calls: number): ObjectStore {
  let made = 0
  const methods = Object.entries(store).map(([name, method]) => [
    name,
    (...args: never[]) => {
      made += 1
      if (made > calls) return Promise.reject(new ObjectStoreError('unavailable', name, 'Down'))
      return (method as (...args: never[]) => unknown)(...args)
    },
  ])
  return Object.fromEntries(methods) as ObjectStore
}

describe('the walk that takes inventories', () => {
  it('counts documents, versions and bytes by type, and names the newest versions', async () => {
    const { clock, store, documents } = await filled()
    const startedAt = clock.now.toISOString()
    expect(await takeInventories(store, noSleep)).toBe('finished')
    const usage = await documents.usage('a')
    expect(usage).toMatchObject({
      ...{ tenant: 'a', startedAt },
      types: [
        { type: 'bundles', documents: 2, versions: 4, bytes: 10 },
        { type: 'reports', documents: 1, versions: 1, bytes: 5 },
      ],
    })
    expect(usage.newest.map(({ name, digest }) => [name, digest])).toEqual([
      ['weekly', digestOf('55555')],
      ['app-next', digestOf('4444')],
      ['app', digestOf('333')],
      ['app', digestOf('22')],
      ['app', digestOf('1')],
    ])
    expect(await inventoryTotals(store)).toMatchObject({ startedAt, documents: 5, versions: 7, bytes: 17 })
    expect((await documents.usage('b')).types).toEqual([
      { type: 'bundles', documents: 1, versions: 1, bytes: 1 },
    ])
  })

  it('is not taken again within the hour, and then counts what has changed', async () => {
    const { store, documents, put, later } = await filled()
    await takeInventories(store, noSleep)
    await put('b', 'bundles/other', '22')
    expect(await takeInventories(store, noSleep)).toBe('fresh')
    expect((await documents.usage('b')).types[0]?.versions).toBe(1)
    later(limits.inventorySecondsMin)
    expect(await takeInventories(store, noSleep)).toBe('finished')
    expect((await documents.usage('b')).types[0]?.versions).toBe(2)
  })

  it('is done by one of several replicas', async () => {
    const { store } = await filled()
    const outcomes = await Promise.all([1, 2, 3].map(() => takeInventories(store, noSleep)))
    expect(outcomes.toSorted()).toEqual(['busy', 'busy', 'finished'])
  })

  it('is continued after the last tenant by another replica, wherever it was stopped, once its claim is over', async () => {
    for (let calls = 1; ; calls += 1) {
      const { store, documents, later } = await filled()
      const stopped = await takeInventories(failingAfter(store, calls), noSleep).catch(() => 'stopped')
      if (stopped === 'finished') break
      const walk = await store.head(inventoryWalkKey)
      if (walk) expect(['busy', 'fresh']).toContain(await takeInventories(store, noSleep))
      later(limits.inventoryClaimSeconds)
      expect(['finished', 'fresh']).toContain(await takeInventories(store, noSleep))
      expect(await inventoryTotals(store)).toMatchObject({ documents: 5, versions: 7, bytes: 17 })
      for (const tenant of ['a', 'b', 'c'])
        expect((await documents.usage(tenant)).types.length).toBeGreaterThan(0)
    }
  })

  it('gives way to a replica that has taken over', async () => {
    const { store, later } = await filled()
    let isTaken = false
    const slow: ObjectStore = {
      ...store,
      async list(options) {
        if (!isTaken) {
          isTaken = true
          later(limits.inventoryClaimSeconds)
          expect(await takeInventories(store, noSleep)).toBe('finished')
        }
        return store.list(options)
      },
    }
    expect(await takeInventories(slow, noSleep)).toBe('busy')
  })

  it('removes the inventories of tenants that have nothing any more, and nothing else', async () => {
    const { store, documents, later } = await filled()
    await takeInventories(store, noSleep)
    for (const key of await keysIn(store)) if (key.startsWith('tenants/b/')) await store.delete(key)
    const others = (await keysIn(store)).filter((key) => !key.startsWith(inventoriesPrefix))
    later(limits.inventorySecondsMin)
    await takeInventories(store, noSleep)
    await expect(documents.usage('b')).rejects.toMatchObject({ code: 'usage_unknown' })
    const keys = await keysIn(store)
    expect(keys.filter((key) => key.startsWith(inventoriesPrefix))).toEqual(
      [inventoryWalkKey, inventoryKey('a'), inventoryKey('c')].sort(),
    )
    expect(keys.filter((key) => !key.startsWith(inventoriesPrefix))).toEqual(others)
  })

  it('is begun again where what was left of it is damaged', async () => {
    const { store, documents } = await filled()
    for (const key of [inventoryWalkKey, inventoryKey('a')])
      await store.put(key, Buffer.from('{'), { size: 1, contentType: 'text/plain' })
    await expect(documents.usage('a')).rejects.toMatchObject({ code: 'usage_unknown' })
    expect(await takeInventories(store, noSleep)).toBe('finished')
    expect((await documents.usage('a')).types).toHaveLength(2)
  })
})
