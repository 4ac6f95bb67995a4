import { describe, expect, it } from 'bun:test'
import {
  type DocumentRecord,
  emptyRecord,
  withoutTag,
  withTag,
} from '../../../../service/documents/document-record.ts'
import { createTagWatches, type TagWatch } from '../../../../service/documents/tag-watches.ts'
import { limits } from '../../../../service/limits.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'

const ref = { tenant: 'acme', type: 'bundles', name: 'app' }
const [a, b] = [digestOf('A'), digestOf('B')]

/** Records that a test changes as another replica would, and rounds that begin when the test says so. */
function underTest() {
  let record: DocumentRecord = emptyRecord
  let failure: Error | null = null
  let reads = 0
  const rounds: (() => void)[] = []
  const records = {
    async read() {
      reads += 1
      if (failure) throw failure
      return record
    },
  }
  const watches = createTagWatches(records, {
    sleep: () => new Promise<void>((resolve) => rounds.push(resolve)),
  })
  return {
    watches,
    move(tag: string, digest = a) {
      record = withTag(record, tag, { digest, by: 'alice' })
      return record.tags[tag]?.id ?? ''
    },
    remove(tag: string) {
      record = withoutTag(record, tag)
    },
    fail(error: Error | null) {
      failure = error
    },
    reads: () => reads,
    async round() {
      await Bun.sleep(0)
      for (const begin of rounds.splice(0)) begin()
      await Bun.sleep(0)
    },
    next: (tag: string, watch: Partial<TagWatch> = {}) =>
      watches.next(ref, tag, { known: undefined, seconds: 60, ...watch }),
  }
}

/** What has come of a promise by now. */
async function stateOf(promise: Promise<unknown>): Promise<'waits' | 'over'> {
  await Bun.sleep(0)
  return Promise.race([promise.then(() => 'over' as const), Promise.resolve('waits' as const)])
}

describe('a watch of a tag', () => {
  it('is answered at once where the tag is other than the caller knows it', async () => {
    const { move, next } = underTest()
    const first = move('production')
    expect(await next('production')).toMatchObject({ isNews: true, entry: { id: first } })
    expect(await next('production', { known: ['older'] })).toMatchObject({
      isNews: true,
      entry: { id: first },
    })
    expect(await next('staging', { known: ['removed'] })).toEqual({ isNews: true, entry: undefined })
  })

  it('is answered when the tag moves, appears or is removed', async () => {
    const { move, remove, next, round } = underTest()
    const first = move('production')
    const moved = next('production', { known: [first] })
    const appears = next('staging')
    await round()
    expect([await stateOf(moved), await stateOf(appears)]).toEqual(['waits', 'waits'])
    const second = move('production', b)
    await round()
    expect(await moved).toMatchObject({ isNews: true, entry: { id: second, digest: b } })
    const removed = next('production', { known: [second] })
    expect(await stateOf(removed)).toBe('waits')
    remove('production')
    move('staging')
    await round()
    expect(await removed).toEqual({ isNews: true, entry: undefined })
    expect(await appears).toMatchObject({ isNews: true, entry: { digest: a } })
  })

  it('costs one read for each round, whatever the number of watches of the document, and none without any', async () => {
    const { move, next, round, reads } = underTest()
    const known = [move('production')]
    const watching = Array.from({ length: 100 }, (_, at) =>
      next(at % 2 ? 'production' : 'staging', at % 2 ? { known } : {}),
    )
    await round()
    const before = reads()
    await round()
    await round()
    expect(reads() - before).toBe(2)
    move('production')
    move('staging')
    await round()
    await Promise.all(watching)
    const after = reads()
    await round()
    await round()
    expect(reads()).toBe(after)
  })

  it('ends with what is there when its time is over', async () => {
    const { move, next } = underTest()
    const first = move('production')
    expect(await next('production', { known: [first], seconds: 0.01 })).toMatchObject({
      isNews: false,
      entry: { id: first },
    })
    expect(await next('staging', { seconds: 0.01 })).toEqual({ isNews: false, entry: undefined })
  })

  it('continues while the store fails, and fails at its end if it still does', async () => {
    const { move, next, round, fail } = underTest()
    const known = [move('production')]
    const watching = next('production', { known })
    await Bun.sleep(0)
    fail(new Error('down'))
    await round()
    expect(await stateOf(watching)).toBe('waits')
    fail(null)
    move('production', b)
    await round()
    expect(await watching).toMatchObject({ isNews: true, entry: { digest: b } })
    const unlucky = next('staging', { seconds: 0.05 })
    await Bun.sleep(0)
    fail(new Error('down'))
    await round()
    await expect(unlucky).rejects.toThrow('down')
  })

  it('ends with its client, and with its replica, after which none waits', async () => {
    const { watches, move, next } = underTest()
    const known = [move('production')]
    const left = new AbortController()
    const leaving = next('production', { known, signal: left.signal })
    await Bun.sleep(0)
    left.abort(new Error('gone'))
    await expect(leaving).rejects.toThrow('gone')
    const waiting = next('production', { known })
    await Bun.sleep(0)
    watches.end()
    expect(await waiting).toMatchObject({ isNews: false })
    expect(await next('production', { known })).toMatchObject({ isNews: false })
    expect(limits.watchSecondsMax).toBeLessThan(limits.drainSecondsMax + 1)
  })
})
