import { describe, expect, it } from 'bun:test'
import type { PutOptions } from '../../service/object-store/object-store.ts'
import { bytesOf, MiB, seenUnder, streamOf } from '../support/stores/bodies.ts'
import { contentType, fresh, type Subject } from './store-under-test.ts'

/** Checks what the port promises about conditional puts. */
export function conditionsContract(subject: Subject): void {
  absentCondition(subject)
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
