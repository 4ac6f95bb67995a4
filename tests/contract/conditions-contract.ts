import { describe, expect, it } from 'bun:test'
import type { PutOptions } from '../../service/object-store/object-store.ts'
import { bytesOf, MiB, seenUnder, streamOf } from '../support/stores/bodies.ts'
import { freshKey, type Subject } from './describe-object-store.ts'

const contentType = 'application/octet-stream'

export function conditionsContract(subject: Subject): void {
  absentCondition(subject)
  etagCondition(subject)
}

function absentCondition(subject: Subject): void {
  describe('put, only where the key is absent', () => {
    const condition = { absent: true } as const

    it('stores where there is nothing', async () => {
      const key = freshKey()
      const put = await subject().store.put(key, bytesOf(7), { size: 7, contentType, condition })
      expect((await seenUnder(subject().store, key))?.etag).toBe(put?.etag ?? '')
    })

    it('answers null and changes nothing where there is something', async () => {
      const { store } = subject()
      const key = freshKey()
      await store.put(key, bytesOf(7), { size: 7, contentType, metadata: { who: 'first' } })
      const before = await seenUnder(store, key)
      expect(await store.put(key, bytesOf(9), { size: 9, contentType, condition })).toBeNull()
      expect(await seenUnder(store, key)).toEqual(before)
    })

    it('answers null for a streamed body too, small or large', async () => {
      const { store } = subject()
      const key = freshKey()
      await store.put(key, bytesOf(7), { size: 7, contentType })
      const before = await seenUnder(store, key)
      const small = streamOf(bytesOf(9))
      const large = streamOf(...Array.from({ length: 64 }, () => bytesOf(MiB / 4)))
      expect(await store.put(key, small, { size: 9, contentType, condition })).toBeNull()
      expect(await store.put(key, large, { size: 16 * MiB, contentType, condition })).toBeNull()
      expect(await seenUnder(store, key)).toEqual(before)
    })

    it('stores again after a delete', async () => {
      const { store } = subject()
      const key = freshKey()
      await store.put(key, bytesOf(7), { size: 7, contentType, condition })
      await store.delete(key)
      expect(await store.put(key, bytesOf(9), { size: 9, contentType, condition })).not.toBeNull()
    })

    it('lets exactly one of many racers win', async () => {
      const key = freshKey()
      const puts = await race(subject, key, condition)
      await expectOneWinner(subject, key, puts)
    })
  })
}

function etagCondition(subject: Subject): void {
  describe('put, only over a known ETag', () => {
    it('replaces the object that has it', async () => {
      const { store } = subject()
      const key = freshKey()
      const first = await store.put(key, bytesOf(7), { size: 7, contentType })
      const condition = { etag: first?.etag ?? '' }
      const second = await store.put(key, bytesOf(9), { size: 9, contentType, condition })
      expect(second).not.toBeNull()
      expect(await seenUnder(store, key)).toMatchObject({ etag: second?.etag ?? '', bytes: bytesOf(9) })
    })

    it('replaces by stream too', async () => {
      const { store } = subject()
      const key = freshKey()
      const first = await store.put(key, bytesOf(7), { size: 7, contentType })
      const condition = { etag: first?.etag ?? '' }
      expect(await store.put(key, streamOf(bytesOf(9)), { size: 9, contentType, condition })).not.toBeNull()
    })

    it('answers null and changes nothing over a stale one', async () => {
      const { store } = subject()
      const key = freshKey()
      const stale = await store.put(key, bytesOf(7), { size: 7, contentType })
      await store.put(key, bytesOf(8), { size: 8, contentType })
      const before = await seenUnder(store, key)
      const condition = { etag: stale?.etag ?? '' }
      expect(await store.put(key, bytesOf(9), { size: 9, contentType, condition })).toBeNull()
      expect(await store.put(key, streamOf(bytesOf(9)), { size: 9, contentType, condition })).toBeNull()
      expect(await seenUnder(store, key)).toEqual(before)
    })

    it('answers null where there is nothing', async () => {
      const key = freshKey()
      const condition = { etag: 'd41d8cd98f00b204e9800998ecf8427e' }
      expect(await subject().store.put(key, bytesOf(9), { size: 9, contentType, condition })).toBeNull()
      expect(await subject().store.head(key)).toBeNull()
    })

    it('lets exactly one of many racers win', async () => {
      const key = freshKey()
      const first = await subject().store.put(key, bytesOf(7), { size: 7, contentType })
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
