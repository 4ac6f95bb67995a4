import { describe, expect, it } from 'bun:test'
import {
  type Migrated,
  type MigrationOptions,
  migrate,
} from '../../../../../service/documents/maintenance/migration.ts'
import { pairedKeys } from '../../../../../service/documents/maintenance/paired-keys.ts'
import { SideError } from '../../../../../service/documents/maintenance/store-side.ts'
import { type ObjectStore, ObjectStoreError } from '../../../../../service/object-store/object-store.ts'
import { keysIn, keysWithoutIndex, MiB } from '../../../../support/service/documents-under-test.ts'
import { entry, minute, storeRecord, storeVersion } from '../../../../support/service/stored-documents.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const fast = { parallelMax: 4, bytesPerSecondMax: 1024 * MiB }
const stored = storeVersion

async function all(source: ObjectStore, target: ObjectStore, options: Partial<MigrationOptions> = {}) {
  return Array.fromAsync(migrate(source, target, { ...fast, ...options }))
}

const resultsOf = (migrated: Migrated[]) =>
  migrated.flatMap(({ outcomes }) => outcomes.map(({ ref, result }) => [ref.name, result]))

/** The store, with the keys that are put into it, in their order. */
function watched(store: ObjectStore, written: string[]): ObjectStore {
  return {
    ...store,
    async put(key, body, options) {
      const put = await store.put(key, body, options)
      written.push(key)
      return put
    },
  }
}

const outage = (operation: string) => new ObjectStoreError('unavailable', operation, 'Status503')

describe('a migration', () => {
  it('writes every version before any record, across all documents', async () => {
    const source = createMemoryObjectStore()
    const written: string[] = []
    for (const name of ['a', 'b']) {
      await stored(source, name, name)
      await storeRecord(source, name, { tags: { latest: entry(name), v1: entry(name) } })
    }
    await all(source, watched(createMemoryObjectStore(), written))
    const kinds = written.map((key) => key.split('/')[2])
    expect(kinds.toSorted()).toEqual(['documents', 'documents', 'records', 'records', 'tagged', 'tagged'])
    expect(kinds.slice(0, 2)).toEqual(['documents', 'documents'])
  })

  it('copies a version as well that was uploaded since the versions were listed', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    await stored(source, 'a', '1')
    await storeRecord(source, 'a', { tags: { latest: entry('1') } })
    for await (const { position } of migrate(source, target, fast)) {
      if (position.phase !== 'versions') continue
      await stored(source, 'a', '2')
      await storeRecord(source, 'a', { tags: { latest: entry('2', minute(1)) }, revision: 2 })
    }
    expect(await keysIn(target)).toEqual(await keysIn(source))
  })

  it('continues from a position, and not before it', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    for (const name of ['a', 'b', 'c']) await stored(source, name, name)
    const [first] = await all(source, createMemoryObjectStore())
    expect(resultsOf(await all(source, target, { from: first?.position }))).toEqual([
      ['b', 'copied'],
      ['c', 'copied'],
    ])
  })

  it('waits for the answer to a put whose bytes are all sent when it is interrupted, and reports the copy', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    for (const name of ['a', 'b']) await stored(source, name, name)
    const interruption = new AbortController()
    const interrupting: ObjectStore = {
      ...target,
      async put(key, body, options) {
        const put = await target.put(key, body, options)
        interruption.abort()
        options.signal?.throwIfAborted()
        return put
      },
    }
    const copied: string[] = []
    const { signal } = interruption
    const onOutcome: MigrationOptions['onOutcome'] = ({ ref, result }) => copied.push(`${ref.name} ${result}`)
    await expect(all(source, interrupting, { parallelMax: 1, onOutcome, signal })).rejects.toThrow('aborted')
    expect(copied).toEqual(['a copied'])
    expect(await keysIn(target)).toHaveLength(1)
  })

  it('says which store is out of reach, and begins nothing further', async () => {
    const source = createMemoryObjectStore()
    let puts = 0
    const down: ObjectStore = {
      ...createMemoryObjectStore(),
      put() {
        puts += 1
        return Promise.reject(outage('put'))
      },
      clock: () => Promise.reject(outage('clock')),
    }
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) await stored(source, name, name)
    const failure = await all(source, down, { parallelMax: 1 }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SideError)
    expect(failure).toMatchObject({ side: 'target', code: 'unavailable' })
    expect(puts).toBe(1)
  })

  it('distinguishes an object that the source does not serve from a source that is out of reach', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    const unreadable = await stored(source, 'a', 'a')
    await stored(source, 'b', 'b')
    const picky: ObjectStore = {
      ...source,
      get: (key, options) => (key === unreadable ? Promise.reject(outage('get')) : source.get(key, options)),
    }
    expect(resultsOf(await all(picky, target))).toEqual([
      ['a', 'unreadable'],
      ['b', 'copied'],
    ])
  })

  it('distinguishes a body that breaks off in the source from a target that refuses it', async () => {
    const source = createMemoryObjectStore()
    await stored(source, 'a', 'a')
    const breaking: ObjectStore = {
      ...source,
      async get(key, options) {
        const object = await source.get(key, options)
        const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(outage('get')) })
        return object && { ...object, body }
      },
    }
    expect(resultsOf(await all(breaking, createMemoryObjectStore()))).toEqual([['a', 'unreadable']])
    const refusing: ObjectStore = {
      ...createMemoryObjectStore(),
      put: () => Promise.reject(outage('put')),
    }
    expect(resultsOf(await all(source, refusing))).toEqual([['a', 'unwritable']])
  })

  it('does not believe a refused condition if the target has nothing', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    await stored(source, 'a', 'a')
    await storeRecord(source, 'a', { tags: { v1: entry('a') } })
    // As a store might that takes a deleted object for one that is there.
    const unconditional: ObjectStore = {
      ...target,
      put: (key, body, options) =>
        options.condition && key.includes('/documents/')
          ? Promise.resolve(null)
          : target.put(key, body, options),
    }
    expect(resultsOf(await all(source, unconditional))).toEqual([
      ['a', 'copied'],
      ['a', 'copied'],
    ])
    expect(await keysWithoutIndex(target)).toEqual(await keysIn(source))
  })

  it('leaves the bytes of a faster writer', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    await stored(source, 'a', 'a')
    const raced: ObjectStore = {
      ...target,
      async put(key, body, options) {
        await stored(target, 'a', 'a')
        return target.put(key, body, options)
      },
    }
    expect(resultsOf(await all(source, raced))).toEqual([['a', 'present']])
  })

  it('stops at a target that refuses: it would refuse all of them', async () => {
    const source = createMemoryObjectStore()
    await stored(source, 'a', 'a')
    const closed: ObjectStore = {
      ...createMemoryObjectStore(),
      put: () => Promise.reject(new ObjectStoreError('denied', 'put', 'AccessDenied')),
    }
    const failure = await all(source, closed).catch((error: unknown) => error)
    expect(failure).toMatchObject({ side: 'target', code: 'denied' })
  })
})

describe('the keys of two stores', () => {
  it('are paired in the order of the source and then of the target, over pages, without staging', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    const put = (store: ObjectStore, key: string) =>
      store.put(key, new Uint8Array(), { size: 0, contentType: 'text/plain' })
    for (let at = 0; at < 1005; at += 1) await put(source, `tenants/k${String(at).padStart(4, '0')}`)
    for (let at = 500; at < 1010; at += 1) await put(target, `tenants/k${String(at).padStart(4, '0')}`)
    await put(source, 'staging/acme/abc')
    const pairs = await Array.fromAsync(pairedKeys(source, target))
    const sides = pairs.map((pair) => `${pair.source ? 's' : '-'}${pair.target ? 't' : '-'}`)
    expect(sides.filter((side) => side === 's-')).toHaveLength(500)
    expect(sides.filter((side) => side === 'st')).toHaveLength(505)
    expect(sides.filter((side) => side === '-t')).toHaveLength(5)
    expect(pairs.map(({ key }) => key)).toEqual(pairs.map(({ key }) => key).toSorted())
  })
})
