import { describe, expect, it } from 'bun:test'
import { emptyRecord } from '../../../../../service/documents/document-record.ts'
import {
  type ScrubbedRecord,
  type ScrubOptions,
  scrub,
} from '../../../../../service/documents/maintenance/scrub.ts'
import { limits } from '../../../../../service/limits.ts'
import type { ObjectStore } from '../../../../../service/object-store/object-store.ts'
import {
  documentsInMemory,
  MiB,
  replicaOn,
  uploadOf,
} from '../../../../support/service/documents-under-test.ts'
import {
  entry,
  minute,
  recordIn,
  recordKeyOf,
  storeOldTag,
  storeRecord,
  storeVersion,
  versionKeyOf,
} from '../../../../support/service/stored-documents.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const ref = { tenant: 'acme', type: 'audits', name: 'a' }

async function recordsIn(store: ObjectStore, options: Partial<ScrubOptions> = {}): Promise<ScrubbedRecord[]> {
  const scrubbed = await Array.fromAsync(scrub(store, { bytesPerSecondMax: 1024 * MiB, ...options }))
  return scrubbed.filter((one) => one.of === 'record')
}

const problemsIn = async (store: ObjectStore, options: Partial<ScrubOptions> = {}) =>
  (await recordsIn(store, options)).map(({ finding }) => finding?.problem ?? null)

/** Versions `1` and `2` of a document, stored a minute apart an hour ago. */
async function documentOfAnHourAgo() {
  const clock = { now: new Date(minute(0)) }
  const store = createMemoryObjectStore({ now: () => clock.now })
  await storeVersion(store, 'a', '1')
  clock.now = new Date(minute(1))
  await storeVersion(store, 'a', '2')
  clock.now = new Date(minute(60))
  return { clock, store }
}

describe('a scrub of records', () => {
  it('finds nothing wrong with what the service has written', async () => {
    const { documents, store } = documentsInMemory()
    await documents.put(ref, uploadOf(Buffer.from('1')))
    await documents.put(ref, uploadOf(Buffer.from('2')))
    await documents.putTag(ref, 'production', { digest: entry('1').digest, by: 'alice' })
    await documents.deleteVersion({ ...ref, digest: entry('2').digest }, { by: 'alice' })
    expect(await problemsIn(store)).toEqual([null])
  })

  it('finds tags that point to nothing, and reads only', async () => {
    const { store } = await documentOfAnHourAgo()
    await storeRecord(store, 'a', { tags: { latest: entry('3'), v1: entry('1'), v3: entry('3') } })
    const before = await recordIn(store, 'a')
    expect(await recordsIn(store)).toMatchObject([
      {
        key: recordKeyOf('a'),
        ref,
        finding: {
          ...{ problem: 'defective', danglingTags: ['latest', 'v3'], lostVersions: [entry('3').digest] },
          isRepaired: false,
        },
      },
    ])
    expect(await recordIn(store, 'a')).toEqual(before)
  })

  it('removes tags that point to nothing when it repairs, and moves latest to the version that counted before', async () => {
    const { store } = await documentOfAnHourAgo()
    const order = ['2', '1', '3'].map((content) => entry(content).digest)
    await storeRecord(store, 'a', { tags: { latest: entry('3'), v1: entry('1'), v3: entry('3') }, order })
    expect(await recordsIn(store, { repair: true })).toMatchObject([{ finding: { isRepaired: true } }])
    const record = await recordIn(store, 'a')
    expect(record?.tags).toMatchObject({ latest: { digest: entry('1').digest }, v1: entry('1') })
    expect(Object.keys(record?.tags ?? {}).sort()).toEqual(['latest', 'v1'])
    expect(await problemsIn(store)).toEqual([null])
  })

  it('finds a document without a record, and makes its newest version the latest when it repairs', async () => {
    const { store } = await documentOfAnHourAgo()
    expect(await problemsIn(store)).toEqual(['missing'])
    expect(await recordIn(store, 'a')).toBeNull()
    await recordsIn(store, { repair: true })
    expect((await recordIn(store, 'a'))?.tags.latest?.digest).toBe(entry('2').digest)
    expect(await problemsIn(store)).toEqual([null])
  })

  it('leaves a document of the old layout to its conversion, which knows its tags', async () => {
    const { store } = await documentOfAnHourAgo()
    await storeOldTag(store, 'a', 'latest', entry('1'))
    expect(await problemsIn(store, { repair: true })).toEqual(['unconverted'])
    expect(await recordIn(store, 'a')).toBeNull()
  })

  it('finds a document with versions and without latest', async () => {
    const { store } = await documentOfAnHourAgo()
    await storeRecord(store, 'a', { tags: {} })
    expect(await recordsIn(store)).toMatchObject([{ finding: { problem: 'defective', withoutLatest: true } }])
  })

  it('does not take an upload for a fault whose record is about to be written', async () => {
    const { clock, store } = await documentOfAnHourAgo()
    for (const content of ['1', '2']) await store.delete(versionKeyOf('a', content))
    await storeVersion(store, 'a', '3')
    expect(await problemsIn(store, { repair: true })).toEqual([])
    clock.now = new Date(minute(66))
    expect(await problemsIn(store)).toEqual(['missing'])
  })

  it('finds a damaged record, and rebuilds it with latest when it repairs', async () => {
    const { store } = await documentOfAnHourAgo()
    const text = Buffer.from('{"format":1,')
    await store.put(recordKeyOf('a'), text, { size: text.length, contentType: 'application/json' })
    expect(await problemsIn(store)).toEqual(['damaged'])
    expect(await recordsIn(store, { repair: true })).toMatchObject([
      { finding: { problem: 'damaged', isRepaired: true } },
    ])
    const record = await recordIn(store, 'a')
    expect(record?.tags.latest?.digest).toBe(entry('2').digest)
    expect(record?.order).toEqual([entry('1').digest, entry('2').digest])
  })

  it('rebuilds a record that is too large to be read', async () => {
    const { store } = await documentOfAnHourAgo()
    const record = Buffer.from(JSON.stringify(emptyRecord).padEnd(limits.recordBytesMax + 1))
    await store.put(recordKeyOf('a'), record, { size: record.length, contentType: 'application/json' })
    expect(await recordsIn(store, { repair: true })).toMatchObject([
      { finding: { problem: 'damaged', isRepaired: true } },
    ])
    expect((await recordIn(store, 'a'))?.tags.latest?.digest).toBe(entry('2').digest)
  })

  it('repairs under a service that keeps the record in memory, which then takes uploads as before', async () => {
    const { documents, store } = documentsInMemory()
    await documents.put(ref, uploadOf(Buffer.from('1')))
    const text = Buffer.from('{')
    await store.put(recordKeyOf('a'), text, { size: text.length, contentType: 'application/json' })
    await recordsIn(store, { repair: true })
    const { document } = await documents.put(ref, uploadOf(Buffer.from('2')))
    expect(document.tags).toEqual(['latest'])
    expect((await recordIn(store, 'a'))?.order).toEqual([entry('1').digest, entry('2').digest])
  })

  it('does not overwrite a record that was written since it was read', async () => {
    const { store } = await documentOfAnHourAgo()
    let races = 0
    const raced: ObjectStore = {
      ...store,
      async put(key, body, options) {
        if (races++ === 0) await storeRecord(store, 'a', { tags: { latest: entry('1'), mine: entry('1') } })
        return store.put(key, body, options)
      },
    }
    await recordsIn(raced, { repair: true })
    expect(Object.keys((await recordIn(store, 'a'))?.tags ?? {})).toEqual(['latest', 'mine'])
  })

  it('keeps the tag of a version that a client uploads while it repairs', async () => {
    const { store } = await documentOfAnHourAgo()
    await storeRecord(store, 'a', { tags: { latest: entry('1'), v3: entry('3') } })
    const { documents } = replicaOn(store)
    let races = 0
    const raced: ObjectStore = {
      ...store,
      async put(key, body, options) {
        if (races++ === 0) {
          await documents.put(ref, uploadOf(Buffer.from('3')))
          await documents.putTag(ref, 'v3', { digest: entry('3').digest, by: 'bob' })
        }
        return store.put(key, body, options)
      },
    }
    await recordsIn(raced, { repair: true })
    const tags = (await recordIn(store, 'a'))?.tags
    expect(tags).toMatchObject({ latest: { digest: entry('3').digest }, v3: { movedBy: 'bob' } })
  })

  it('leaves a version alone that is being deleted', async () => {
    const { store } = await documentOfAnHourAgo()
    for (const content of ['1', '2']) await store.delete(versionKeyOf('a', content))
    const mark = { id: 'a', until: minute(90), by: 'alice' }
    await storeRecord(store, 'a', { order: [entry('1').digest], deleting: { [entry('1').digest]: mark } })
    expect(await problemsIn(store, { repair: true })).toEqual([null])
  })
})
