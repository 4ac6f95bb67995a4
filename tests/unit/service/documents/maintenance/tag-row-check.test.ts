import { describe, expect, it } from 'bun:test'
import { parseTagRowKey, recordKey, tagRowKey } from '../../../../../service/documents/document-key.ts'
import { type Scrubbed, scrub } from '../../../../../service/documents/maintenance/scrub.ts'
import type { ObjectStore } from '../../../../../service/object-store/object-store.ts'
import { keysIn, MiB, replicaOn, uploadOf } from '../../../../support/service/documents-under-test.ts'
import { entry, recordIn, storeRecord } from '../../../../support/service/stored-documents.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const ref = { tenant: 'acme', type: 'audits', name: 'a' }
const minute = 60_000

/** A document with two tags of its own, and a clock. */
async function tagged() {
  const clock = { now: new Date('2026-11-01T12:00:00Z') }
  const store = createMemoryObjectStore({ now: () => clock.now })
  const { documents } = replicaOn(store)
  await documents.put(ref, uploadOf(Buffer.from('1')))
  for (const tag of ['production', 'staging'])
    await documents.putTag(ref, tag, { digest: entry('1').digest, by: 'alice' })
  return { clock, store, documents }
}

async function scrubbed(store: ObjectStore, repair = false): Promise<Scrubbed[]> {
  const all = await Array.fromAsync(scrub(store, { bytesPerSecondMax: 1024 * MiB, repair }))
  return all.filter((one) => one.of === 'row' || (one.of === 'record' && one.finding !== null))
}

const rowsIn = async (store: ObjectStore) => (await keysIn(store)).filter((key) => parseTagRowKey(key))

async function listed(store: ObjectStore, tag: string): Promise<string[]> {
  const { documents } = await replicaOn(store).documents.tagged({ ...ref, tag, limit: 100 })
  return documents.map(({ name }) => name)
}

describe('a scrub of the index of tags', () => {
  it('finds nothing wrong with what the service has written, also after moves and removals', async () => {
    const { clock, store, documents } = await tagged()
    await documents.put(ref, uploadOf(Buffer.from('2')))
    await documents.putTag(ref, 'production', { digest: entry('2').digest, by: 'alice' })
    await documents.deleteTag(ref, 'staging')
    clock.now = new Date(clock.now.getTime() + 60 * minute)
    expect(await scrubbed(store)).toEqual([])
    expect(await rowsIn(store)).toHaveLength(1)
  })

  it('finds a row that is lost, and writes it again when it repairs', async () => {
    const { store } = await tagged()
    const before = await rowsIn(store)
    for (const row of before) await store.delete(row)
    expect(await listed(store, 'production')).toEqual([])
    expect(await scrubbed(store)).toMatchObject([
      { finding: { problem: 'defective', unindexedTags: ['production', 'staging'], isRepaired: false } },
    ])
    expect(await rowsIn(store)).toEqual([])
    expect(await scrubbed(store, true)).toMatchObject([{ finding: { isRepaired: true } }])
    expect(await rowsIn(store)).toEqual(before)
    expect(await listed(store, 'production')).toEqual(['a'])
    expect(await scrubbed(store)).toEqual([])
  })

  it('finds tags that were moved by a version of the service without an index, and gives them rows', async () => {
    const { store } = await tagged()
    const tags = { latest: entry('1'), old: entry('1'), production: entry('1') }
    await storeRecord(store, 'a', { tags })
    expect(await listed(store, 'old')).toEqual([])
    expect(await scrubbed(store)).toMatchObject([{ finding: { unindexedTags: ['old', 'production'] } }])
    await scrubbed(store, true)
    expect(await listed(store, 'old')).toEqual(['a'])
    expect(await listed(store, 'production')).toEqual(['a'])
    expect((await recordIn(store, 'a'))?.tags).toMatchObject(tags)
    expect(await scrubbed(store)).toEqual([])
  })

  it('removes a row that no record names when it repairs, once no write can be about to name it', async () => {
    const { clock, store } = await tagged()
    const named = await rowsIn(store)
    const unnamed = [
      tagRowKey({ ...ref, tag: 'production' }, '0123'),
      tagRowKey({ ...ref, name: 'none', tag: 'x' }, '0123'),
    ]
    for (const row of unnamed) await store.put(row, new Uint8Array(), { size: 0, contentType: 'text/plain' })
    expect(await scrubbed(store, true)).toEqual([])
    clock.now = new Date(clock.now.getTime() + 6 * minute)
    const found = unnamed
      .toSorted()
      .map((key) => ({ of: 'row' as const, key, ref: parseTagRowKey(key)?.ref }))
    expect((await scrubbed(store)) as unknown[]).toEqual(found)
    expect((await rowsIn(store)).toSorted()).toEqual([...named, ...unnamed].sort())
    expect((await scrubbed(store, true)) as unknown[]).toEqual(found)
    expect(await rowsIn(store)).toEqual(named)
  })

  it('leaves the rows of a damaged record alone', async () => {
    const { clock, store } = await tagged()
    const rows = await rowsIn(store)
    await store.put(recordKey(ref), Buffer.from('{'), { size: 1, contentType: 'text/plain' })
    clock.now = new Date(clock.now.getTime() + 6 * minute)
    expect(await scrubbed(store)).toMatchObject([{ finding: { problem: 'damaged' } }])
    expect(await rowsIn(store)).toEqual(rows)
  })
})

describe('a tag without a row, as a version of the service without an index leaves it', () => {
  it('gets one when it is moved next, and none by an upload', async () => {
    const { store } = await tagged()
    await storeRecord(store, 'a', { tags: { latest: entry('1'), old: entry('1') } })
    const { documents } = replicaOn(store)
    await documents.put(ref, uploadOf(Buffer.from('2')))
    expect(await listed(store, 'old')).toEqual([])
    await documents.putTag(ref, 'old', { digest: entry('2').digest, by: 'alice' })
    expect(await listed(store, 'old')).toEqual(['a'])
  })
})
