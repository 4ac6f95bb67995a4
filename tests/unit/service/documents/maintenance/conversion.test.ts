import { describe, expect, it } from 'bun:test'
import { type ConversionOptions, convert } from '../../../../../service/documents/maintenance/conversion.ts'
import { type ObjectStore, ObjectStoreError } from '../../../../../service/object-store/object-store.ts'
import { recordFigure } from '../../../../support/figures.ts'
import {
  documentsInMemory,
  keysIn,
  keysWithoutIndex,
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
  tagsIn,
  versionKeyOf,
} from '../../../../support/service/stored-documents.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

async function resultsOf(store: ObjectStore, options: Partial<ConversionOptions> = {}) {
  const converted = await Array.fromAsync(convert(store, { parallelMax: 4, ...options }))
  return converted.flatMap(({ ref, tags }) => tags.map(({ tag, result }) => [ref.name, tag, result]))
}

/** Two versions, stored a minute apart, with `latest` on the first one again and a tag on the second. */
async function oldDocument(name = 'a') {
  const clock = { now: new Date(minute(0)) }
  const store = createMemoryObjectStore({ now: () => clock.now })
  await storeVersion(store, name, '1')
  clock.now = new Date(minute(1))
  await storeVersion(store, name, '2')
  await storeOldTag(store, name, 'latest', entry('1', minute(3)))
  await storeOldTag(store, name, 'production', entry('2', minute(2)))
  return store
}

describe('the conversion of the old layout', () => {
  it('makes one record of the tags of a document, in the order in which its versions counted', async () => {
    const store = await oldDocument()
    expect(await resultsOf(store)).toEqual([
      ['a', 'latest', 'converted'],
      ['a', 'production', 'converted'],
    ])
    const record = await recordIn(store, 'a')
    expect(record?.tags).toMatchObject({
      latest: { digest: entry('1').digest, movedAt: minute(3), movedBy: 'alice' },
      production: { digest: entry('2').digest, movedAt: minute(2), movedBy: 'alice' },
    })
    expect(record?.order).toEqual([entry('2').digest, entry('1').digest])
    const keys = [recordKeyOf('a'), versionKeyOf('a', '1'), versionKeyOf('a', '2')]
    expect(await keysWithoutIndex(store)).toEqual(keys.sort())
    expect(await keysIn(store)).toContainEqual(expect.stringContaining('/tagged/audits/production/a/'))
  })

  it('finds nothing to do when it is repeated', async () => {
    const store = await oldDocument()
    await resultsOf(store)
    const record = await recordIn(store, 'a')
    expect(await resultsOf(store)).toEqual([])
    expect(await recordIn(store, 'a')).toEqual(record)
  })

  it('gives each move the same id wherever it is converted, so that two stores agree', async () => {
    const [one, other] = [await oldDocument(), await oldDocument()]
    await Promise.all([resultsOf(one), resultsOf(other)])
    expect(await tagsIn(one, 'a')).toEqual((await tagsIn(other, 'a')) ?? {})
  })

  it('writes and removes nothing in a dry run', async () => {
    const store = await oldDocument()
    const before = await keysIn(store)
    expect(await resultsOf(store, { dryRun: true })).toHaveLength(2)
    expect(await keysIn(store)).toEqual(before)
  })

  it('can be stopped between any two calls, and repeated: no tag is lost', async () => {
    const whole = await oldDocument()
    await resultsOf(whole)
    const expected = await tagsIn(whole, 'a')
    for (let failing = 0; ; failing += 1) {
      const store = await oldDocument()
      let calls = 0
      const breaking = new Proxy(store, {
        get:
          (target, name: keyof ObjectStore) =>
          (...args: never[]) => {
            if (calls++ >= failing) return Promise.reject(new ObjectStoreError('unavailable', name, 'Crash'))
            return (target[name] as (...args: never[]) => unknown)(...args)
          },
      })
      const stopped = await resultsOf(breaking).catch(() => null)
      await resultsOf(store)
      expect(await tagsIn(store, 'a')).toEqual(expected ?? {})
      if (!stopped) continue
      recordFigure('conversion', { name: 'calls to stop at', value: failing, unit: '' })
      break
    }
  })

  it('merges with a record that the service has written since, where the later move wins', async () => {
    const store = await oldDocument()
    await storeRecord(store, 'a', { tags: { latest: entry('2', minute(9)) } })
    await resultsOf(store)
    const tags = (await recordIn(store, 'a'))?.tags
    expect(tags?.latest).toEqual(entry('2', minute(9)))
    expect(tags?.production?.digest).toBe(entry('2').digest)
  })

  it('drops a tag that points to nothing, and gives a document without latest its newest version', async () => {
    const store = await oldDocument()
    await storeOldTag(store, 'a', 'latest', entry('gone', minute(3)))
    expect(await resultsOf(store)).toEqual([
      ['a', 'latest', 'dangling'],
      ['a', 'production', 'converted'],
    ])
    expect((await recordIn(store, 'a'))?.tags.latest?.digest).toBe(entry('2').digest)
  })

  it('names a damaged tag and leaves it where it is, and converts the others', async () => {
    const store = await oldDocument()
    const key = 'tenants/acme/tags/audits/a/broken'
    await store.put(key, Buffer.from('{'), { size: 1, contentType: 'text/plain' })
    expect(await resultsOf(store)).toContainEqual(['a', 'broken', 'damaged'])
    expect(await keysIn(store)).toContain(key)
    expect(Object.keys((await recordIn(store, 'a'))?.tags ?? {}).sort()).toEqual(['latest', 'production'])
  })

  it('leaves everything of a document whose record is damaged', async () => {
    const store = await oldDocument()
    await store.put(recordKeyOf('a'), Buffer.from('{'), { size: 1, contentType: 'text/plain' })
    const before = await keysIn(store)
    expect(await resultsOf(store)).toEqual([
      ['a', 'latest', 'record damaged'],
      ['a', 'production', 'record damaged'],
    ])
    expect(await keysIn(store)).toEqual(before)
  })

  it('keeps documents apart whose names begin alike', async () => {
    const store = await oldDocument()
    for (const name of ['a-b', 'a.b']) {
      await storeVersion(store, name, name)
      await storeOldTag(store, name, 'latest', entry(name))
    }
    await resultsOf(store)
    for (const name of ['a-b', 'a.b']) {
      expect((await recordIn(store, name))?.tags.latest?.digest).toBe(entry(name).digest)
    }
  })

  it('leaves what the service reads: the latest version, its tags, and the next upload', async () => {
    const { documents, store } = documentsInMemory()
    const ref = { tenant: 'acme', type: 'audits', name: 'a' }
    await storeVersion(store, 'a', '1')
    await storeOldTag(store, 'a', 'latest', entry('1'))
    await resultsOf(store)
    expect(await documents.getTag(ref, 'latest')).toMatchObject({ digest: entry('1').digest })
    const { document } = await documents.put(ref, uploadOf(Buffer.from('2')))
    expect(document.tags).toEqual(['latest'])
  })
})
