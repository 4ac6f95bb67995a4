import { describe, expect, it } from 'bun:test'
import { bytesOf, failureOf } from '../support/stores/bodies.ts'
import { contentType, fresh, freshKey, type Subject } from './store-under-test.ts'

/** Checks what the port promises about deletes, leftovers, the clock and aborted calls. */
export function upkeepContract(subject: Subject): void {
  describeDelete(subject)
  deletesThatExpire(subject)
  unfinishedUploads(subject)
  describeClock(subject)
  abortedCalls(subject)
}

function describeDelete(subject: Subject): void {
  describe('delete', () => {
    it('removes the object and no other', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(3))
      await store.put(`${key}2`, bytesOf(3), { size: 3, contentType })
      await store.delete(key)
      expect(await store.head(key)).toBeNull()
      expect(await store.get(key)).toBeNull()
      expect((await store.list({ prefix: key, limit: 10 })).objects.map((object) => object.key)).toEqual([
        `${key}2`,
      ])
    })

    it('succeeds where there is nothing, however often', async () => {
      const { store, key, put } = fresh(subject)
      await store.delete(key)
      await put(bytesOf(3))
      await store.delete(key)
      await store.delete(key)
      expect(await store.head(key)).toBeNull()
    })
  })
}

function deletesThatExpire(subject: Subject): void {
  describe('deleteBefore', () => {
    it('removes the object and no other, whatever characters its key has', async () => {
      const { store } = subject()
      const key = freshKey("a b+c%20d'é/日本 ?#&=(1)!*~")
      await store.put(key, bytesOf(3), { size: 3, contentType })
      await store.put(`${key}2`, bytesOf(3), { size: 3, contentType })
      const signedAt = await store.clock()
      expect(await store.deleteBefore(key, { signedAt, expiresInSeconds: 30 })).toBe('deleted')
      expect(await store.head(key)).toBeNull()
      expect(await store.head(`${key}2`)).not.toBeNull()
    })

    it('succeeds where there is nothing, however often', async () => {
      const { store, key } = fresh(subject)
      const signedAt = await store.clock()
      expect(await store.deleteBefore(key, { signedAt, expiresInSeconds: 30 })).toBe('deleted')
      expect(await store.deleteBefore(key, { signedAt, expiresInSeconds: 30 })).toBe('deleted')
    })

    it('is refused by the store once its time is over, and changes nothing', async () => {
      const { store, key, put, seen } = fresh(subject)
      await put(bytesOf(3))
      const before = await seen()
      const signedAt = new Date((await store.clock()).getTime() - 32_000)
      expect(await store.deleteBefore(key, { signedAt, expiresInSeconds: 30 })).toBe('refused')
      expect(await seen()).toEqual(before)
      expect(await store.deleteBefore(key, { signedAt, expiresInSeconds: 90 })).toBe('deleted')
    })
  })
}

function unfinishedUploads(subject: Subject): void {
  describe('listUnfinished and abortUnfinished', () => {
    it('lists an upload under its whole key until it is completed', async () => {
      const { store, key } = fresh(subject)
      const upload = await store.startMultipart(key, { contentType })
      await upload.uploadPart(bytesOf(7))
      const listed = await store.listUnfinished(key)
      expect(listed.map((unfinished) => unfinished.key)).toEqual([key])
      expect(Math.abs((listed[0]?.startedAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
      await upload.complete()
      expect(await store.listUnfinished(key)).toEqual([])
    })

    it('lists the uploads under a prefix, or none where the store does not know prefixes', async () => {
      const { store, listsUnfinishedByPrefix } = subject()
      const folder = `${freshKey()}/`
      const first = await store.startMultipart(`${folder}a`, { contentType })
      const second = await store.startMultipart(`${folder}b`, { contentType })
      const listed = await store.listUnfinished(folder)
      expect(listed.map(({ key }) => key).toSorted()).toEqual(
        listsUnfinishedByPrefix ? [`${folder}a`, `${folder}b`] : [],
      )
      await first.abort()
      await second.abort()
    })

    it('is empty where no upload was begun', async () => {
      const { store } = subject()
      expect(await store.listUnfinished(freshKey())).toEqual([])
    })

    it('aborts an upload by its id, and no other', async () => {
      const { store, key } = fresh(subject)
      const kept = await store.startMultipart(key, { contentType })
      await kept.uploadPart(bytesOf(7))
      const [keptEntry] = await store.listUnfinished(key)
      const aborted = await store.startMultipart(key, { contentType })
      const entries = await store.listUnfinished(key)
      const entry = entries.find(({ uploadId }) => uploadId !== keptEntry?.uploadId)
      await store.abortUnfinished(key, entry?.uploadId ?? '')
      expect((await store.listUnfinished(key)).map(({ uploadId }) => uploadId)).toEqual([
        keptEntry?.uploadId ?? '',
      ])
      await expect(aborted.uploadPart(bytesOf(7))).rejects.toMatchObject({ code: 'rejected' })
      await kept.complete()
      expect(await store.head(key)).not.toBeNull()
    })

    it('succeeds for an upload that is gone, however often', async () => {
      const { store, key } = fresh(subject)
      const upload = await store.startMultipart(key, { contentType })
      const [entry] = await store.listUnfinished(key)
      await upload.abort()
      await store.abortUnfinished(key, entry?.uploadId ?? '')
      await store.abortUnfinished(key, entry?.uploadId ?? '')
      expect(await store.listUnfinished(key)).toEqual([])
    })
  })
}

function describeClock(subject: Subject): void {
  describe('clock', () => {
    it('is whole seconds and near ours', async () => {
      const time = await subject().store.clock()
      expect(time.getTime() % 1000).toBe(0)
      expect(Math.abs(time.getTime() - Date.now())).toBeLessThan(10_000)
    })
  })
}

function abortedCalls(subject: Subject): void {
  describe('a call whose signal was aborted before', () => {
    it('rejects with the reason, whichever it is, and changes nothing', async () => {
      const { store, key, put, seen } = fresh(subject)
      const ifMatch = (await put(bytesOf(7)))?.etag ?? ''
      const before = await seen()
      const [absent, copied] = [freshKey(), freshKey()]
      const reason = new Error('the client went away')
      const signal = AbortSignal.abort(reason)
      const calls = [
        put(bytesOf(9), { signal }),
        store.put(absent, bytesOf(7), { size: 7, contentType, signal }),
        store.get(key, { signal }),
        store.head(key, { signal }),
        store.copy(key, copied, { ifMatch, contentType, metadata: {}, signal }),
        store.list({ prefix: '', limit: 1, signal }),
        store.getWhole(key, { bytesMax: 9, signal }),
        store.getWhole(key, { bytesMax: 9, unless: ifMatch, signal }),
        store.copyAbsent(key, copied, { ifMatch, size: 7, contentType, metadata: {}, signal }),
        store.delete(key, { signal }),
        store.deleteBefore(key, { signedAt: new Date(), expiresInSeconds: 30, signal }),
        store.listUnfinished(key, { signal }),
        store.abortUnfinished(key, 'none', { signal }),
        store.clock({ signal }),
      ]
      expect(await Promise.all(calls.map(failureOf))).toEqual(calls.map(() => reason))
      expect(await seen()).toEqual(before)
      expect([await store.head(absent), await store.head(copied)]).toEqual([null, null])
    })
  })
}
