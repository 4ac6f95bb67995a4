import { describe, expect, it } from 'bun:test'
import { emptyRecord, withTag } from '../../../../service/documents/document-record.ts'
import { createRecords, type Moment, type Records } from '../../../../service/documents/record-store.ts'
import { limits } from '../../../../service/limits.ts'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import { recordKey, ref } from '../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { counted } from '../../../support/stores/counted-object-store.ts'
import { type LostAnswer, losingAnswers } from '../../../support/stores/lost-answers.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const move = { digest: digestOf('A'), by: 'alice' }

/** Moves a tag, whatever the record says. */
function tag(records: Records, name: string): Promise<void> {
  return records.change(ref, ({ record }) => ({ to: withTag(record, name, move), result: undefined }))
}

/** Two replicas on one store: the calls of `one` for records are counted, and `decorate` may wrap its store for them. */
function twoReplicas(decorate = (store: ObjectStore) => store) {
  const store = createMemoryObjectStore()
  const calls: string[] = []
  const sleeps: number[] = []
  const sleep = async (milliseconds: number) => void sleeps.push(milliseconds)
  const ofRecords = counted(decorate(store), calls)
  const put: ObjectStore['put'] = (key, ...rest) =>
    key === recordKey ? ofRecords.put(key, ...rest) : store.put(key, ...rest)
  const one = createRecords({ ...store, getWhole: ofRecords.getWhole, put }, { sleep })
  return { store, one, other: createRecords(store, { sleep }), calls, sleeps }
}

async function tagsIn(records: Records): Promise<string[]> {
  return Object.keys((await records.read(ref)).tags).sort()
}

describe('a record', () => {
  it('is the empty one where a document has none', async () => {
    const { one } = twoReplicas()
    expect(await one.read(ref)).toEqual(emptyRecord)
  })

  it('keeps the changes of two replicas that write at the same time', async () => {
    const { one, other } = twoReplicas()
    const names = Array.from({ length: 8 }, (_, index) => `v${index}`)
    await Promise.all(names.map((name, index) => tag(index % 2 === 0 ? one : other, name)))
    expect(await tagsIn(one)).toEqual(names)
    expect(await other.read(ref)).toEqual(await one.read(ref))
  })

  it('is read a second time only if it has changed', async () => {
    const answers: string[] = []
    const { one, other } = twoReplicas((store) => ({
      ...store,
      async getWhole(key, options) {
        const answer = await store.getWhole(key, options)
        answers.push(answer === 'unchanged' ? answer : 'read')
        return answer
      },
    }))
    await tag(other, 'v1')
    expect([await tagsIn(one), await tagsIn(one)]).toEqual([['v1'], ['v1']])
    await tag(other, 'v2')
    expect(await tagsIn(one)).toEqual(['v1', 'v2'])
    expect(answers).toEqual(['read', 'unchanged', 'read'])
  })

  it('is what the store says, also if it was lost or restored from a backup behind our back', async () => {
    const { store, one } = twoReplicas()
    const bytesOf = async () =>
      new Uint8Array(await new Response((await store.get(recordKey))?.body).arrayBuffer())
    await tag(one, 'v1')
    const backup = await bytesOf()
    await tag(one, 'v2')
    await store.put(recordKey, backup, { size: backup.length, contentType: 'application/json' })
    await tag(one, 'v3')
    expect(await tagsIn(one)).toEqual(['v1', 'v3'])
    await store.delete(recordKey)
    await tag(one, 'v4')
    expect(await tagsIn(one)).toEqual(['v4'])
  })

  it('is written with one call by the replica that has written it last, and by one that takes it for new', async () => {
    const { one, calls } = twoReplicas()
    await tag(one, 'v1')
    await tag(one, 'v2')
    expect(calls).toEqual(['put', 'put'])
  })

  it('is not taken from memory for an answer that writes nothing', async () => {
    const { one, other } = twoReplicas()
    await tag(one, 'v1')
    await tag(other, 'v2')
    const seen = await one.change(ref, ({ record }) => ({ result: Object.keys(record.tags) }))
    expect(seen).toEqual(['v1', 'v2'])
  })

  it('says since when no deletion can have begun or ended', async () => {
    const { one, other } = twoReplicas()
    const look = () =>
      one.change<Moment>(ref, ({ record, since }) => ({ to: withTag(record, 'v1', move), result: since }))
    await look()
    const moment = one.moment()
    expect(await look()).toBeLessThan(moment)
    // Another replica may have deleted and uploaded a version again in between.
    await tag(other, 'v2')
    expect(await look()).toBeGreaterThan(moment)
    const later = one.moment()
    await one.change(ref, ({ record }) => ({ to: { ...record }, result: undefined, deletion: true }))
    expect(await look()).toBeGreaterThan(later)
  })

  const damages: [string, string][] = [
    ['that is cut short', '{"format":1'],
    ['of a later format', JSON.stringify({ ...emptyRecord, format: 2 })],
    ['that is larger than any record', JSON.stringify(emptyRecord).padEnd(limits.recordBytesMax + 1)],
  ]
  it.each(damages)('%s is damaged, for reads and for changes', async (_, text) => {
    const { one, store } = twoReplicas()
    const bytes = new TextEncoder().encode(text)
    await store.put(recordKey, bytes, { size: bytes.byteLength, contentType: 'application/json' })
    await expect(one.read(ref)).rejects.toMatchObject({ code: 'integrity_violated' })
    await expect(tag(one, 'v1')).rejects.toMatchObject({ code: 'integrity_violated' })
    expect(await new Response((await store.get(recordKey))?.body).text()).toBe(text)
  })
})

describe('a write of a record whose answer is lost', () => {
  /** A replica that loses answers, and another one that writes a given number of times before the first one learns of it. */
  function losing(lost: LostAnswer[]) {
    return twoReplicas((store) => losingAnswers(store, 'put', lost))
  }

  async function writes(records: Records, count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) await tag(records, 'other')
  }

  it('counts once if it had arrived', async () => {
    const { one, calls } = losing([{ acts: true }])
    await tag(one, 'v1')
    expect(await one.read(ref)).toMatchObject({ revision: 1, tags: { v1: { digest: move.digest } } })
    expect(calls).toEqual(['put', 'getWhole', 'getWhole'])
  })

  it('is sent again if it had not arrived', async () => {
    const { one } = losing([{ acts: false }, { acts: false }])
    await tag(one, 'v1')
    expect(await one.read(ref)).toMatchObject({ revision: 1 })
  })

  it('counts once if it had arrived and others have written since', async () => {
    const lost: LostAnswer[] = []
    const { one, other } = losing(lost)
    lost.push({ acts: true, before: () => writes(other, limits.recordChangesMax - 1) })
    await tag(one, 'v1')
    expect(await one.read(ref)).toMatchObject({ revision: limits.recordChangesMax })
    expect(await tagsIn(one)).toEqual(['other', 'v1'])
  })

  it('is made again, on what others have written, if it had not arrived', async () => {
    const lost: LostAnswer[] = []
    const { one, other } = losing(lost)
    lost.push({ acts: false, before: () => writes(other, 2) })
    await tag(one, 'v1')
    expect(await one.read(ref)).toMatchObject({ revision: 3 })
    expect(await tagsIn(one)).toEqual(['other', 'v1'])
  })

  it('is of unknown outcome once the record has forgotten who has written it', async () => {
    const lost: LostAnswer[] = []
    const { one, other } = losing(lost)
    lost.push({ acts: true, before: () => writes(other, limits.recordChangesMax) })
    await expect(tag(one, 'v1')).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  it('is of unknown outcome, and never a refusal, if no try is answered', async () => {
    const { one } = losing(Array.from({ length: limits.storeAttemptsMax }, () => ({ acts: false })))
    await expect(tag(one, 'v1')).rejects.toMatchObject({ code: 'store_unavailable' })
    // The next change starts from what the store has.
    await tag(one, 'v2')
    expect(await tagsIn(one)).toEqual(['v2'])
  })

  it('fails its condition if it arrives after the next one was acknowledged', async () => {
    let late = async () => {}
    const { one } = twoReplicas((store) => ({
      ...store,
      put: (key, body, options) => {
        late = async () => expect(await store.put(key, body, options)).toBeNull()
        return store.put(key, body, options)
      },
    }))
    await tag(one, 'v1')
    const first = late
    await tag(one, 'v2')
    await first()
    expect(await tagsIn(one)).toEqual(['v1', 'v2'])
  })
})

describe('changes of one record on one replica', () => {
  const all = (records: Records, count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => tag(records, `v${index}`)))

  it('share writes: 32 at once cost two', async () => {
    const { one, calls } = twoReplicas()
    await all(one, 32)
    expect(calls).toEqual(['put', 'put'])
    expect(await tagsIn(one)).toHaveLength(32)
  })

  it('see the end of a deletion that shares their write: what they saw in the store before may be gone', async () => {
    const { one } = twoReplicas()
    // The write under way gathers the two that follow into the next one.
    const underWay = tag(one, 'v1')
    const seenBefore = one.moment()
    const deletion = one.change(ref, ({ record }) => ({
      to: { ...record },
      result: undefined,
      deletion: true,
    }))
    const upload = one.change<Moment>(ref, ({ record, since }) => ({
      to: withTag(record, 'v2', move),
      result: since,
    }))
    expect(await upload).toBeGreaterThan(seenBefore)
    await Promise.all([underWay, deletion])
  })

  it('fail each for itself', async () => {
    const { one } = twoReplicas()
    const failing = one.change(ref, () => {
      throw new Error('not this one')
    })
    const outcomes = await Promise.allSettled([tag(one, 'v1'), failing, tag(one, 'v2')])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('pause after two writes in a row, so that other replicas get their turn', async () => {
    const { one, sleeps } = twoReplicas()
    await all(one, 2 * limits.recordBatchMax + 2)
    expect(sleeps).toHaveLength(1)
  })

  it('do not pause where no other replica writes', async () => {
    const sleeps: number[] = []
    const sleep = async (milliseconds: number) => void sleeps.push(milliseconds)
    await all(createRecords(createMemoryObjectStore(), { sleep, alone: true }), 3 * limits.recordBatchMax)
    expect(sleeps).toEqual([])
  })

  it('are answered as busy by a replica that other writers always outrun', async () => {
    const { one, other } = twoReplicas((store) => ({
      ...store,
      async put(key, body, options) {
        await tag(other, 'theirs')
        return store.put(key, body, options)
      },
    }))
    await expect(tag(one, 'v1')).rejects.toMatchObject({ code: 'busy' })
  })
})

describe('a store that refuses every conditional write', () => {
  it('is found out with one more read, whether the record is known or not', async () => {
    const { one, other, calls } = twoReplicas((store) => ({ ...store, put: async () => null }))
    await tag(other, 'v1')
    await one.read(ref)
    for (const expected of [
      ['put', 'getWhole'],
      ['put', 'getWhole', 'put', 'getWhole'],
    ]) {
      calls.length = 0
      await expect(tag(one, 'v2')).rejects.toMatchObject({ code: 'compare_and_set_unavailable' })
      expect(calls).toEqual(expected)
    }
  })
})
