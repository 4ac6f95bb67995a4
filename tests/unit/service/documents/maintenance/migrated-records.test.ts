import { describe, expect, it } from 'bun:test'
import type { Outcome } from '../../../../../service/documents/maintenance/copy-record.ts'
import { type MigrationOptions, migrate } from '../../../../../service/documents/maintenance/migration.ts'
import { type ObjectStore, ObjectStoreError } from '../../../../../service/object-store/object-store.ts'
import { recordFigure } from '../../../../support/figures.ts'
import { keysIn, MiB, replicaOn } from '../../../../support/service/documents-under-test.ts'
import {
  auditVersion,
  deletion,
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

const fast = { parallelMax: 4, bytesPerSecondMax: 1024 * MiB }

async function outcomesOf(
  source: ObjectStore,
  target: ObjectStore,
  options: Partial<MigrationOptions> = {},
): Promise<[string, string][]> {
  const migrated = await Array.fromAsync(migrate(source, target, { ...fast, ...options }))
  return migrated.flatMap(({ outcomes }) => outcomes.map((outcome) => [nameOf(outcome), outcome.result]))
}

function nameOf({ of: kind, ref }: Outcome): string {
  return 'tag' in ref ? `tag ${ref.tag}` : kind
}

/** Two stores with the same version `1` of document `a`, which is the latest in both. */
async function twoStores() {
  const source = createMemoryObjectStore()
  const target = createMemoryObjectStore()
  for (const store of [source, target]) {
    await storeVersion(store, 'a', '1')
    await storeRecord(store, 'a', { tags: { latest: entry('1') } })
  }
  return { source, target }
}

/** As the service does it: the version is gone, the record says so, and `latest` is at another one. */
async function deleteVersion(
  store: ObjectStore,
  content: string,
  at: string,
  latest?: string,
): Promise<void> {
  await store.delete(versionKeyOf('a', content))
  const tags = latest === undefined ? {} : { latest: entry(latest, at) }
  await storeRecord(store, 'a', { tags, deleted: [deletion(content, at)], revision: 2 })
}

describe('a migration after a deletion', () => {
  it('does not bring back what the target has deleted since it was copied there', async () => {
    const { source, target } = await twoStores()
    await deleteVersion(target, '1', minute(5))
    expect(await outcomesOf(source, target)).toEqual([
      ['version', 'deleted'],
      ['tag latest', 'deleted'],
    ])
    expect(await keysIn(target)).toEqual([recordKeyOf('a')])
    expect(await recordIn(target, 'a')).toMatchObject({ tags: {}, deleted: [deletion('1', minute(5))] })
  })

  it('copies what the source has uploaded again after the deletion in the target', async () => {
    const { source, target } = await twoStores()
    await deleteVersion(target, '1', minute(5))
    await storeVersion(source, 'a', '1', { createdAt: minute(9) })
    await storeRecord(source, 'a', { tags: { latest: entry('1', minute(9)) }, revision: 2 })
    expect(await outcomesOf(source, target)).toEqual([
      ['version', 'copied'],
      ['tag latest', 'copied'],
    ])
    expect(await recordIn(target, 'a')).toMatchObject({
      tags: { latest: entry('1', minute(9)) },
      deleted: [],
    })
  })

  it('reports a version that the source has deleted and the target has, and leaves it there', async () => {
    const { source, target } = await twoStores()
    await storeVersion(source, 'a', '2')
    await deleteVersion(source, '1', minute(5), '2')
    expect(await outcomesOf(source, target)).toEqual([
      ['version', 'copied'],
      ['tag latest', 'moved'],
      ['version', 'left'],
    ])
    expect(await target.head(versionKeyOf('a', '1'))).not.toBeNull()
    // What is there must not count as deleted: the sweeper would remove it.
    expect(await recordIn(target, 'a')).toMatchObject({ deleted: [] })
  })

  it('removes it with the option, notes the deletion of the source, and has nothing to do again', async () => {
    const { source, target } = await twoStores()
    await storeVersion(source, 'a', '2')
    await deleteVersion(source, '1', minute(5), '2')
    expect(await outcomesOf(source, target, { removeDeleted: true })).toContainEqual(['version', 'removed'])
    expect(await target.head(versionKeyOf('a', '1'))).toBeNull()
    const record = await recordIn(target, 'a')
    expect(record).toMatchObject({
      tags: { latest: entry('2', minute(5)) },
      deleted: [deletion('1', minute(5))],
    })
    expect(await outcomesOf(source, target, { removeDeleted: true })).toEqual([
      ['version', 'present'],
      ['tag latest', 'present'],
    ])
    expect(await recordIn(target, 'a')).toEqual(record)
  })

  it('removes the latest version with the option, and points latest in the target at the one before it', async () => {
    const { source, target } = await twoStores()
    await storeVersion(target, 'a', '0')
    await deleteVersion(source, '1', minute(5))
    expect(await outcomesOf(source, target, { removeDeleted: true })).toEqual([['version', 'removed']])
    expect(await recordIn(target, 'a')).toMatchObject({
      tags: { latest: { digest: auditVersion('a', '0').digest } },
      deleted: [deletion('1', minute(5))],
    })
  })

  it('removes nothing in a dry run', async () => {
    const { source, target } = await twoStores()
    await deleteVersion(source, '1', minute(5))
    const before = await recordIn(target, 'a')
    const outcomes = await outcomesOf(source, target, { removeDeleted: true, dryRun: true })
    expect(outcomes).toEqual([['version', 'left']])
    expect(await recordIn(target, 'a')).toEqual(before)
  })

  it('finishes a removal whose answer an earlier run did not get', async () => {
    const clock = { minutes: 0 }
    const { source } = await twoStores()
    const target = createMemoryObjectStore({ now: () => new Date(minute(clock.minutes)) })
    await storeVersion(target, 'a', '1')
    await storeRecord(target, 'a', { tags: { latest: entry('1') } })
    await deleteVersion(source, '1', minute(5))
    const losing: ObjectStore = {
      ...target,
      deleteBefore: () => Promise.reject(new ObjectStoreError('unavailable', 'deleteBefore', 'Timeout')),
    }
    const failure = await outcomesOf(source, losing, { removeDeleted: true }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ side: 'target', code: 'unavailable' })
    expect(await outcomesOf(source, target, { removeDeleted: true })).toEqual([['version', 'busy']])
    clock.minutes = 5
    expect(await outcomesOf(source, target, { removeDeleted: true })).toEqual([['version', 'removed']])
    expect(await recordIn(target, 'a')).toMatchObject({ deleting: {}, deleted: [deletion('1', minute(5))] })
  })

  it('leaves a version that the target has got or tagged after the source deleted it', async () => {
    const { source, target } = await twoStores()
    await deleteVersion(source, '1', minute(5))
    await storeRecord(target, 'a', { tags: { production: entry('1', minute(9)), latest: entry('1') } })
    expect(await outcomesOf(source, target, { removeDeleted: true })).toEqual([])
    expect(await target.head(versionKeyOf('a', '1'))).not.toBeNull()
  })

  it('names the tag of the target that keeps a version from being removed', async () => {
    const { source, target } = await twoStores()
    await deleteVersion(source, '1', minute(5))
    await storeRecord(target, 'a', { tags: { production: entry('1', minute(1)), latest: entry('1') } })
    const migrated = await Array.fromAsync(migrate(source, target, { ...fast, removeDeleted: true }))
    expect(migrated.flatMap(({ outcomes }) => outcomes)).toMatchObject([
      { of: 'version', result: 'tagged', tags: ['production'] },
    ])
  })

  it('carries the deletion on, so that a way back does not undo it', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    await storeRecord(source, 'a', { deleted: [deletion('1', minute(5))] })
    await outcomesOf(source, target)
    const third = createMemoryObjectStore()
    await storeVersion(third, 'a', '1')
    expect(await outcomesOf(third, target)).toEqual([['version', 'deleted']])
  })

  it('does not copy bytes that arrived in the source after their deletion', async () => {
    const { source, target } = await twoStores()
    await target.delete(versionKeyOf('a', '1'))
    await target.delete(recordKeyOf('a'))
    await storeRecord(source, 'a', { deleted: [deletion('1', minute(5))] })
    expect(await outcomesOf(source, target)).toEqual([['version', 'gone']])
    expect(await target.head(versionKeyOf('a', '1'))).toBeNull()
  })

  it('leaves alone a version whose deletion is under way in the target', async () => {
    const { source, target } = await twoStores()
    await target.delete(versionKeyOf('a', '1'))
    const mark = { id: 'a', until: minute(9), by: 'alice' }
    await storeRecord(target, 'a', { deleting: { [auditVersion('a', '1').digest]: mark } })
    expect(await outcomesOf(source, target)).toEqual([
      ['version', 'busy'],
      ['tag latest', 'withheld'],
    ])
  })
})

/** A store that a process stops to use after some calls: the next one fails, done or not, and so do all that follow. */
function abandoned(store: ObjectStore, { calls, done }: { calls: number; done: boolean }): ObjectStore {
  let made = 0
  return new Proxy(store, {
    get:
      (target, name: keyof ObjectStore) =>
      async (...args: never[]) => {
        made += 1
        const call = target[name] as (...args: never[]) => unknown
        if (made <= calls) return call(...args)
        if (made === calls + 1 && done) await call(...args)
        throw new ObjectStoreError('denied', name, 'Crash')
      },
  })
}

/** Ends a migration at each call to its target in turn, and runs it again. @returns how many calls there were */
async function endAtEachCall(done: boolean): Promise<number> {
  const options = { removeDeleted: true }
  for (let calls = 0; ; calls += 1) {
    const clock = { minutes: 0 }
    const { source } = await twoStores()
    const target = createMemoryObjectStore({ now: () => new Date(minute(clock.minutes)) })
    await storeVersion(target, 'a', '1')
    await storeRecord(target, 'a', { tags: { latest: entry('1') } })
    await storeVersion(source, 'a', '2')
    await deleteVersion(source, '1', minute(5), '2')
    const ended = await outcomesOf(source, abandoned(target, { calls, done }), options).catch(() => null)
    clock.minutes = 5
    await outcomesOf(source, target, options)
    expect(await keysIn(target)).not.toContain(versionKeyOf('a', '1'))
    expect(await recordIn(target, 'a')).toMatchObject({
      ...{ tags: { latest: entry('2', minute(5)) }, order: [entry('2').digest], deleting: {} },
      deleted: [{ digest: entry('1').digest }],
    })
    if (ended) return calls
  }
}

describe('a migration that ends at any call to the target', () => {
  it('is completed by the next one, where that call is not done', async () => {
    const value = await endAtEachCall(false)
    recordFigure('deletions', { name: 'calls to end at', value, unit: '' })
  })

  it('is completed by the next one, where that call is done', async () => {
    expect(await endAtEachCall(true)).toBeGreaterThan(10)
  })
})

describe('a migration of records', () => {
  it('lets the later move of each tag win, latest included', async () => {
    const { source, target } = await twoStores()
    for (const store of [source, target]) await storeVersion(store, 'a', '2')
    const tags = { newer: entry('1', minute(9)), older: entry('1', minute(1)), latest: entry('1', minute(3)) }
    await storeRecord(source, 'a', { tags })
    const others = {
      newer: entry('2', minute(1)),
      older: entry('2', minute(9)),
      latest: entry('2', minute(2)),
    }
    await storeRecord(target, 'a', { tags: others })
    expect(await outcomesOf(source, target)).toEqual([
      ['version', 'present'],
      ['version', 'present'],
      ['tag newer', 'moved'],
      ['tag older', 'kept'],
      ['tag latest', 'moved'],
    ])
    expect(await tagsIn(target, 'a')).toEqual({ newer: tags.newer, older: others.older, latest: tags.latest })
    expect((await recordIn(target, 'a'))?.order.at(-1)).toBe(tags.latest.digest)
  })

  it('reads again when a client of the target was faster, and overwrites nothing', async () => {
    const { source, target } = await twoStores()
    await storeRecord(source, 'a', { tags: { latest: entry('1'), v1: entry('1') } })
    let races = 0
    const raced: ObjectStore = {
      ...target,
      async put(key, body, options) {
        if (key === recordKeyOf('a') && races++ === 0) {
          await storeRecord(target, 'a', { tags: { latest: entry('1'), v2: entry('1') }, revision: 2 })
        }
        return target.put(key, body, options)
      },
    }
    await outcomesOf(source, raced)
    expect(Object.keys((await recordIn(target, 'a'))?.tags ?? {}).sort()).toEqual(['latest', 'v1', 'v2'])
  })

  it('looks again when a deletion in the target ends before it writes, and no tag dangles', async () => {
    const { source, target } = await twoStores()
    for (const store of [source, target]) await storeVersion(store, 'a', '2')
    const latest = entry('2', minute(1))
    await storeRecord(target, 'a', { tags: { latest } })
    await storeRecord(source, 'a', { tags: { latest, v1: entry('1') } })
    const { documents } = replicaOn(target)
    let races = 0
    const raced: ObjectStore = {
      ...target,
      async put(key, body, options) {
        if (key === recordKeyOf('a') && races++ === 0) {
          await documents.deleteVersion(auditVersion('a', '1'), { by: 'bob' })
        }
        return target.put(key, body, options)
      },
    }
    expect(await outcomesOf(source, raced)).toContainEqual(['tag v1', 'deleted'])
    expect((await recordIn(target, 'a'))?.tags).toEqual({ latest })
  })

  it('reports a damaged record, whichever store has it, and copies the versions nevertheless', async () => {
    for (const damagedSide of ['source', 'target'] as const) {
      const source = createMemoryObjectStore()
      const target = createMemoryObjectStore()
      await storeVersion(source, 'a', '1')
      await storeRecord(source, 'a', { tags: { latest: entry('1') } })
      const damaged = Buffer.from('{')
      await { source, target }[damagedSide].put(recordKeyOf('a'), damaged, {
        size: 1,
        contentType: 'text/plain',
      })
      expect(await outcomesOf(source, target)).toEqual([
        ['version', 'copied'],
        ['record', 'damaged'],
      ])
    }
  })

  it('turns the tags of the old layout into the record of the target', async () => {
    const source = createMemoryObjectStore()
    const target = createMemoryObjectStore()
    for (const content of ['1', '2']) await storeVersion(source, 'a', content)
    await storeOldTag(source, 'a', 'latest', entry('1', minute(3)))
    await storeOldTag(source, 'a', 'lost', entry('3'))
    const broken = 'tenants/acme/tags/audits/a/broken'
    await source.put(broken, Buffer.from('{'), { size: 1, contentType: 'text/plain' })
    expect((await outcomesOf(source, target)).filter(([what]) => what !== 'version')).toEqual([
      ['tag broken', 'damaged'],
      ['tag latest', 'copied'],
      ['tag lost', 'dangling'],
    ])
    const record = await recordIn(target, 'a')
    expect(record?.tags).toMatchObject({
      latest: { digest: entry('1').digest, movedAt: minute(3), movedBy: 'alice' },
    })
    expect(record?.order).toEqual([entry('2').digest, entry('1').digest])
    expect(await keysIn(target)).not.toContain('tenants/acme/tags/audits/a/latest')
  })
})
