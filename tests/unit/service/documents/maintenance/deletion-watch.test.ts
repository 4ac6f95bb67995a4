import { describe, expect, it } from 'bun:test'
import type { WatchOptions } from '../../../../../service/documents/maintenance/deletion-watch.ts'
import { sweep } from '../../../../../service/documents/maintenance/sweeper.ts'
import { createRecords } from '../../../../../service/documents/record-store.ts'
import { createVersionRemoval } from '../../../../../service/documents/version-removal.ts'
import { limits } from '../../../../../service/limits.ts'
import { type ObjectStore, ObjectStoreError } from '../../../../../service/object-store/object-store.ts'
import { keysIn } from '../../../../support/service/documents-under-test.ts'
import {
  auditVersion,
  entry,
  minute,
  recordIn,
  recordKeyOf,
  storeRecord,
  storeVersion,
  versionKeyOf,
} from '../../../../support/service/stored-documents.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const one = auditVersion('a', '1')
const marker = `deletions/acme/audits/a/${one.digest.slice('sha256:'.length)}`
const nothing = {
  ...{ stagedRemoved: 0, uploadsAborted: 0 },
  ...{ deletionsFinished: 0, lateVersionsRemoved: 0, recordsRepaired: 0, deletionsForgotten: 0 },
}

/** A store whose clock the test moves, with versions `1` and `2` of a document; the second one is the latest. */
async function twoVersions() {
  const clock = { minutes: 0 }
  const store = createMemoryObjectStore({ now: () => new Date(minute(clock.minutes)) })
  for (const content of ['1', '2']) await storeVersion(store, 'a', content)
  const order = [one.digest, entry('2').digest]
  await storeRecord(store, 'a', { tags: { latest: entry('2') }, order })
  return { clock, store }
}

function removalOn(store: ObjectStore) {
  return createVersionRemoval({ store, records: createRecords(store) })
}

/** A store that does not answer the DELETE of a version, and does it only when the test says so. */
function losingDeletes(store: ObjectStore) {
  const late: (() => Promise<unknown>)[] = []
  const losing: ObjectStore = {
    ...store,
    deleteBefore(key) {
      late.push(() => store.delete(key))
      return Promise.reject(new ObjectStoreError('unavailable', 'deleteBefore', 'Timeout'))
    },
  }
  return { losing, late }
}

function swept(store: ObjectStore, options: WatchOptions = {}) {
  return sweep(store, options)
}

describe('the sweeper, after a deletion that was given up', () => {
  it('leaves it alone while the store may still act on it, and then finishes it', async () => {
    const { clock, store } = await twoVersions()
    const { losing } = losingDeletes(store)
    await expect(removalOn(losing).remove(one, { by: 'alice' })).rejects.toMatchObject({
      code: 'unavailable',
    })
    clock.minutes = (limits.deletionAcceptedSeconds + limits.deletionSettledSeconds) / 60 - 0.1
    expect(await swept(store)).toEqual(nothing)
    expect(await store.head(versionKeyOf('a', '1'))).not.toBeNull()
    clock.minutes += 0.1
    expect(await swept(store)).toEqual({ ...nothing, deletionsFinished: 1 })
    expect(await store.head(versionKeyOf('a', '1'))).toBeNull()
    expect(await recordIn(store, 'a')).toMatchObject({
      deleting: {},
      deleted: [{ digest: one.digest, by: 'alice' }],
    })
  })

  it('finishes it as well if the store has acted meanwhile', async () => {
    const { clock, store } = await twoVersions()
    const { losing, late } = losingDeletes(store)
    await removalOn(losing)
      .remove(one, { by: 'alice' })
      .catch(() => {})
    await Promise.all(late.map((act) => act()))
    clock.minutes = 5
    expect(await swept(store)).toEqual({ ...nothing, deletionsFinished: 1 })
    expect(await recordIn(store, 'a')).toMatchObject({ deleting: {}, deleted: [{ digest: one.digest }] })
  })

  it('lets only one of several replicas finish it, and none fails', async () => {
    const { clock, store } = await twoVersions()
    const { losing } = losingDeletes(store)
    await removalOn(losing)
      .remove(one, { by: 'alice' })
      .catch(() => {})
    clock.minutes = 5
    await Promise.all([swept(store), swept(store), swept(store)])
    expect(await recordIn(store, 'a')).toMatchObject({ deleting: {}, deleted: [{ digest: one.digest }] })
    expect((await recordIn(store, 'a'))?.deleted).toHaveLength(1)
  })
})

describe('the sweeper, after calls that reached the store late', () => {
  it('removes a version whose bytes arrived after its deletion', async () => {
    const { store } = await twoVersions()
    await removalOn(store).remove(one, { by: 'alice' })
    await storeVersion(store, 'a', '1')
    expect(await swept(store)).toEqual({ ...nothing, lateVersionsRemoved: 1 })
    expect(await store.head(versionKeyOf('a', '1'))).toBeNull()
    expect(await recordIn(store, 'a')).toMatchObject({ tags: { latest: entry('2') }, deleting: {} })
  })

  it('leaves a version that was uploaded again', async () => {
    const { store } = await twoVersions()
    await removalOn(store).remove(one, { by: 'alice' })
    await storeVersion(store, 'a', '1')
    await storeRecord(store, 'a', { tags: { latest: entry('1') } })
    expect(await swept(store)).toEqual(nothing)
    expect(await store.head(versionKeyOf('a', '1'))).not.toBeNull()
  })

  it('repairs the record of a version that a late DELETE has removed, and reports what is lost', async () => {
    const { store } = await twoVersions()
    await removalOn(store).remove(one, { by: 'alice' })
    // Uploaded again and tagged; then a DELETE acts that was given up long ago.
    const tags = { latest: entry('1'), production: entry('1'), other: entry('2') }
    const order = [entry('2').digest, one.digest]
    await storeRecord(store, 'a', { tags, order })
    const lost: unknown[] = []
    const onLost = (ref: unknown, names: readonly string[]) => lost.push([ref, names])
    expect(await swept(store, { onLost })).toEqual({ ...nothing, recordsRepaired: 1 })
    expect(lost).toEqual([[one, ['latest', 'production']]])
    const record = await recordIn(store, 'a')
    expect(record?.order).toEqual([entry('2').digest])
    expect(record?.tags).toMatchObject({ latest: { digest: entry('2').digest }, other: entry('2') })
    expect(Object.keys(record?.tags ?? {}).sort()).toEqual(['latest', 'other'])
    expect(await swept(store, { onLost })).toEqual(nothing)
  })
})

describe('the sweeper, after a deletion that is over', () => {
  it('looks after it for an hour, and then forgets it', async () => {
    const { clock, store } = await twoVersions()
    await removalOn(store).remove(one, { by: 'alice' })
    clock.minutes = limits.deletionWatchSeconds / 60
    expect(await swept(store)).toEqual(nothing)
    expect(await keysIn(store)).toContain(marker)
    clock.minutes += 1
    expect(await swept(store)).toEqual({ ...nothing, deletionsForgotten: 1 })
    expect(await keysIn(store)).not.toContain(marker)
  })

  it('keeps the marker of a deletion that begins while it forgets the one before', async () => {
    const { clock, store } = await twoVersions()
    await removalOn(store).remove(one, { by: 'alice' })
    await storeVersion(store, 'a', '1')
    await storeRecord(store, 'a', { tags: { latest: entry('2') }, order: [one.digest, entry('2').digest] })
    clock.minutes = 90
    const mark = { id: 'a', until: minute(91), by: 'bob' }
    const raced: ObjectStore = {
      ...store,
      async delete(key, options) {
        // As another replica does that has put its marker already.
        await storeRecord(store, 'a', { tags: { latest: entry('2') }, deleting: { [one.digest]: mark } })
        await store.delete(key, options)
      },
    }
    expect(await swept(raced)).toEqual(nothing)
    expect(await keysIn(store)).toContain(marker)
  })

  it('reports a deletion of a document whose record is damaged, and looks after the others', async () => {
    const { store } = await twoVersions()
    await removalOn(store).remove(one, { by: 'alice' })
    await store.put(recordKeyOf('a'), Buffer.from('{'), { size: 1, contentType: 'text/plain' })
    for (const content of ['1', '2']) await storeVersion(store, 'b', content)
    await storeRecord(store, 'b', { tags: { latest: entry('2') } })
    await removalOn(store).remove(auditVersion('b', '1'), { by: 'alice' })
    await storeVersion(store, 'b', '1')
    const failures: unknown[] = []
    const onFailure = (ref: unknown, cause: unknown) =>
      failures.push([ref, (cause as { code: unknown }).code])
    expect(await swept(store, { onFailure })).toEqual({ ...nothing, lateVersionsRemoved: 1 })
    expect(failures).toEqual([[one, 'integrity_violated']])
  })

  it('stops if the store is out of reach', async () => {
    const { store } = await twoVersions()
    await removalOn(store).remove(one, { by: 'alice' })
    const away: ObjectStore = {
      ...store,
      head: () => Promise.reject(new ObjectStoreError('unavailable', 'head', 'ECONNREFUSED')),
    }
    await expect(swept(away)).rejects.toMatchObject({ code: 'unavailable' })
  })
})
