import { describe, expect, it } from 'bun:test'
import type { PutOptions } from '../../service/object-store/object-store.ts'
import {
  bytesOf,
  failingStream,
  failureOf,
  MiB,
  seenUnder,
  stallingStream,
  streamOf,
} from '../support/stores/bodies.ts'
import { contentType, fresh, type Subject } from './store-under-test.ts'

/** Checks what the port promises about conditional puts. */
export function conditionsContract(subject: Subject): void {
  absentCondition(subject)
  freeKey(subject)
  etagCondition(subject)
}

function absentCondition(subject: Subject): void {
  describe('put on the condition that the key is absent', () => {
    const condition = { absent: true } as const

    it('stores where there is nothing', async () => {
      const { put, seen } = fresh(subject)
      const stored = await put(bytesOf(7), { condition })
      expect((await seen())?.etag).toBe(stored?.etag ?? '')
    })

    it('answers null and changes nothing where there is something', async () => {
      const { put, seen } = fresh(subject)
      await put(bytesOf(7), { metadata: { who: 'first' } })
      const before = await seen()
      expect(await put(bytesOf(9), { condition })).toBeNull()
      expect(await seen()).toEqual(before)
    })

    it('answers null for a streamed body too, small or large', async () => {
      const { put, seen } = fresh(subject)
      await put(bytesOf(7))
      const before = await seen()
      const small = streamOf(bytesOf(9))
      const large = streamOf(...Array.from({ length: 64 }, () => bytesOf(MiB / 4)))
      expect(await put(small, { size: 9, condition })).toBeNull()
      expect(await put(large, { size: 16 * MiB, condition })).toBeNull()
      expect(await seen()).toEqual(before)
    })

    it('stores again after a delete', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(7), { condition })
      await store.delete(key)
      expect(await put(bytesOf(9), { condition })).not.toBeNull()
    })

    it('lets exactly one of many racers win', async () => {
      const { key } = fresh(subject)
      const puts = await race(subject, key, condition)
      await expectOneWinner(subject, key, puts)
    })
  })
}

function freeKey(subject: Subject): void {
  describe('put of a stream that keeps its key free', () => {
    const keepsKeyFree = {
      condition: { absent: true },
      keepsKeyFree: true,
      metadata: { who: 'slow' },
    } as const

    it('stores the stream with its metadata where there is nothing, and answers null where there is something', async () => {
      const { store, key, put, seen } = fresh(subject)
      const bytes = bytesOf(9)
      const stored = await put(streamOf(bytes), { ...keepsKeyFree, size: bytes.length })
      expect(await seen()).toMatchObject({ bytes, etag: stored?.etag, metadata: { who: 'slow' } })
      const before = await seen()
      expect(await put(streamOf(bytesOf(9)), { ...keepsKeyFree, size: 9 })).toBe(null)
      expect(await seen()).toEqual(before)
      expect(await store.listUnfinished(key)).toEqual([])
    })

    it('stores an empty stream', async () => {
      const { put, seen } = fresh(subject)
      await put(streamOf(), { ...keepsKeyFree, size: 0 })
      expect(await seen()).toMatchObject({ size: 0, metadata: { who: 'slow' } })
    })

    it('leaves nothing of a stream that fails, or is aborted', async () => {
      const { store, key, put, seen } = fresh(subject)
      const cut = failingStream(new Error('cut'), bytesOf(MiB))
      expect(await failureOf(put(cut, { ...keepsKeyFree, size: 2 * MiB }))).toMatchObject({ message: 'cut' })
      const { stream, stalled } = stallingStream(bytesOf(MiB), bytesOf(MiB))
      const gone = new AbortController()
      const put2 = failureOf(put(stream, { ...keepsKeyFree, size: 4 * MiB, signal: gone.signal }))
      await stalled
      gone.abort(new Error('gone'))
      expect(await put2).toMatchObject({ message: 'gone' })
      expect(await seen()).toBe(null)
      expect(await store.listUnfinished(key)).toEqual([])
    })

    it('keeps no one waiting while it is under way, and loses against a writer that ends first', async () => {
      if (!subject().keepsKeysFree) return
      const { store, key, put, seen } = fresh(subject)
      const turn = Promise.withResolvers<Uint8Array>()
      const begun = Promise.withResolvers<void>()
      const slow = new ReadableStream<Uint8Array>(
        {
          start: (controller) => controller.enqueue(bytesOf(MiB)),
          async pull(controller) {
            begun.resolve()
            controller.enqueue(await turn.promise)
            controller.close()
          },
        },
        { highWaterMark: 0 },
      )
      const late = put(slow, { ...keepsKeyFree, size: MiB + 9 })
      await begun.promise
      expect(await store.head(key)).toBe(null)
      expect(await seen()).toBe(null)
      await store.delete(key)
      expect(await put(bytesOf(9), { condition: { absent: true } })).not.toBe(null)
      expect(await seen()).toMatchObject({ size: 9 })
      turn.resolve(bytesOf(9))
      expect(await late).toBe(null)
      expect(await seen()).toMatchObject({ size: 9 })
      expect(await store.listUnfinished(key)).toEqual([])
    })
  })
}

function etagCondition(subject: Subject): void {
  describe('put on the condition of a known ETag', () => {
    it('replaces the object that has it', async () => {
      const { put, seen } = fresh(subject)
      const first = await put(bytesOf(7))
      const condition = { etag: first?.etag ?? '' }
      const second = await put(bytesOf(9), { condition })
      expect(second).not.toBeNull()
      expect(await seen()).toMatchObject({ etag: second?.etag ?? '', bytes: bytesOf(9) })
    })

    it('replaces by stream too', async () => {
      const { put } = fresh(subject)
      const first = await put(bytesOf(7))
      const condition = { etag: first?.etag ?? '' }
      expect(await put(streamOf(bytesOf(9)), { size: 9, condition })).not.toBeNull()
    })

    it('answers null and changes nothing over a stale one', async () => {
      const { put, seen } = fresh(subject)
      const stale = await put(bytesOf(7))
      await put(bytesOf(8))
      const before = await seen()
      const condition = { etag: stale?.etag ?? '' }
      expect(await put(bytesOf(9), { condition })).toBeNull()
      expect(await put(streamOf(bytesOf(9)), { size: 9, condition })).toBeNull()
      expect(await seen()).toEqual(before)
    })

    it('answers null where there is nothing', async () => {
      const { store, key, put } = fresh(subject)
      const condition = { etag: 'd41d8cd98f00b204e9800998ecf8427e' }
      expect(await put(bytesOf(9), { condition })).toBeNull()
      expect(await store.head(key)).toBeNull()
    })

    it('lets exactly one of many racers win', async () => {
      const { key, put } = fresh(subject)
      const first = await put(bytesOf(7))
      const puts = await race(subject, key, { etag: first?.etag ?? '' })
      await expectOneWinner(subject, key, puts)
    })
  })
}

function race(subject: Subject, key: string, condition: PutOptions['condition']) {
  return Promise.all(
    Array.from({ length: subject().racers }, (_, racer) =>
      subject().store.put(key, bytesOf(100, racer + 2), { size: 100, contentType, condition }),
    ),
  )
}

async function expectOneWinner(subject: Subject, key: string, puts: Awaited<ReturnType<typeof race>>) {
  const winners = [...puts.keys()].filter((racer) => puts[racer] !== null)
  expect(puts).toHaveLength(subject().racers)
  expect(winners).toHaveLength(1)
  const winner = winners[0] ?? -1
  expect(await seenUnder(subject().store, key)).toMatchObject({
    etag: puts[winner]?.etag ?? '',
    bytes: bytesOf(100, winner + 2),
  })
}
