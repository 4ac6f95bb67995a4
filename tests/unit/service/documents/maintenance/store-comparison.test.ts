import { describe, expect, it } from 'bun:test'
import {
  type ComparisonOptions,
  compareStores,
} from '../../../../../service/documents/maintenance/store-comparison.ts'
import { type ObjectStore, ObjectStoreError } from '../../../../../service/object-store/object-store.ts'
import { MiB } from '../../../../support/service/documents-under-test.ts'
import {
  deletion,
  entry,
  minute,
  recordKeyOf,
  storeOldTag,
  storeRecord,
  storeVersion,
} from '../../../../support/service/stored-documents.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const options: ComparisonOptions = { parallelMax: 4, bytesPerSecondMax: 1024 * MiB, bytes: true }
const outage = (operation: string) => new ObjectStoreError('unavailable', operation, 'Status503')

const compared = (source: ObjectStore, target: ObjectStore) =>
  Array.fromAsync(compareStores(source, target, options))

/** What differs, as `record`, the name of a tag, or `version`. */
async function differencesOf(source: ObjectStore, target: ObjectStore) {
  const all = await compared(source, target)
  return all
    .filter(({ differences }) => differences.length > 0)
    .map(({ ref, differences }) => [
      'tag' in ref ? ref.tag : 'digest' in ref ? 'version' : 'record',
      differences,
    ])
}

describe('the comparison of two stores', () => {
  it('does not report an object as damaged that was removed since it was listed', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    const removed: string[] = []
    for (const store of [source, target]) removed.push(await storeVersion(store, 'a', '1'))
    const removing: ObjectStore = {
      ...source,
      async list(listing) {
        const page = await source.list(listing)
        for (const key of removed) await source.delete(key)
        return page
      },
    }
    expect((await compared(removing, target)).map(({ differences }) => differences)).toEqual([
      ['only in target'],
    ])
  })

  it('reports a version that cannot be read as damaged if its store answers other calls', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    for (const store of [source, target]) await storeVersion(store, 'a', 'a')
    const silent: ObjectStore = { ...target, get: () => Promise.reject(outage('get')) }
    expect(await differencesOf(source, silent)).toEqual([['version', ['bytes in target']]])
    const gone: ObjectStore = { ...silent, clock: () => Promise.reject(outage('clock')) }
    const failure = await compared(source, gone).catch((error: unknown) => error)
    expect(failure).toMatchObject({ side: 'target', code: 'unavailable' })
  })

  it('finds no difference between records that say the same, whatever their revisions', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    await storeRecord(source, 'a', { tags: { latest: entry('1') }, revision: 7, changes: ['x'] })
    await storeRecord(target, 'a', { tags: { latest: entry('1') } })
    expect(await differencesOf(source, target)).toEqual([])
  })

  it('names the tags that differ, latest among them', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    const tags = { latest: entry('1'), here: entry('1'), moved: entry('1', minute(1)) }
    await storeRecord(source, 'a', { tags })
    await storeRecord(target, 'a', {
      tags: { latest: entry('2'), there: entry('1'), moved: entry('1', minute(2)) },
    })
    expect(await differencesOf(source, target)).toEqual([
      ['here', ['only in source']],
      ['latest', ['version']],
      ['moved', ['move']],
      ['there', ['only in target']],
    ])
  })

  it('names records that note other deletions, or have other deletions under way', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    const mark = { id: 'a', until: minute(1), by: 'alice' }
    await storeRecord(source, 'a', {
      deleted: [deletion('1', minute(1))],
      deleting: { [entry('2').digest]: mark },
    })
    await storeRecord(target, 'a', {})
    expect(await differencesOf(source, target)).toEqual([['record', ['deletions', 'marks']]])
  })

  it('names records that only one store has, that are damaged, and tags of the old layout', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    await storeRecord(source, 'a', { tags: { latest: entry('1') } })
    await storeRecord(target, 'b', {})
    await storeRecord(source, 'c', {})
    await target.put(recordKeyOf('c'), Buffer.from('{'), { size: 1, contentType: 'text/plain' })
    await storeOldTag(source, 'd', 'v1', entry('1'))
    expect((await differencesOf(source, target)).toSorted()).toEqual([
      ['latest', ['only in source']],
      ['record', ['bytes in target']],
      ['record', ['only in source']],
      ['record', ['only in target']],
      ['v1', ['old layout']],
    ])
  })
})
