import { describe, expect, it } from 'bun:test'
import { bytesOf, failureOf } from '../support/stores/bodies.ts'
import { freshKey, type Subject } from './describe-object-store.ts'

const contentType = 'application/octet-stream'

export function upkeepContract(subject: Subject): void {
  describeDelete(subject)
  unfinishedUploads(subject)
  describeClock(subject)
}

function describeDelete(subject: Subject): void {
  describe('delete', () => {
    it('removes the object and no other', async () => {
      const { store } = subject()
      const key = freshKey()
      await store.put(key, bytesOf(3), { size: 3, contentType })
      await store.put(`${key}2`, bytesOf(3), { size: 3, contentType })
      await store.delete(key)
      expect(await store.head(key)).toBeNull()
      expect(await store.get(key)).toBeNull()
      expect((await store.list({ prefix: key, limit: 10 })).objects.map((object) => object.key)).toEqual([
        `${key}2`,
      ])
    })

    it('succeeds where there is nothing, however often', async () => {
      const { store } = subject()
      const key = freshKey()
      await store.delete(key)
      await store.put(key, bytesOf(3), { size: 3, contentType })
      await store.delete(key)
      await store.delete(key)
      expect(await store.head(key)).toBeNull()
    })

    it('rejects with the reason and removes nothing when it was aborted before', async () => {
      const { store } = subject()
      const key = freshKey()
      const reason = new Error('the client went away')
      await store.put(key, bytesOf(3), { size: 3, contentType })
      expect(await failureOf(store.delete(key, { signal: AbortSignal.abort(reason) }))).toBe(reason)
      expect(await store.head(key)).not.toBeNull()
    })
  })
}

function unfinishedUploads(subject: Subject): void {
  describe('listUnfinished and abortUnfinished', () => {
    it('lists an upload under its whole key until it is completed', async () => {
      const { store } = subject()
      const key = freshKey()
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
      const { store } = subject()
      const key = freshKey()
      const kept = await store.startMultipart(key, { contentType })
      await kept.uploadPart(bytesOf(7))
      const [keptEntry] = await store.listUnfinished(key)
      const doomed = await store.startMultipart(key, { contentType })
      const entries = await store.listUnfinished(key)
      const entry = entries.find(({ uploadId }) => uploadId !== keptEntry?.uploadId)
      await store.abortUnfinished(key, entry?.uploadId ?? '')
      expect((await store.listUnfinished(key)).map(({ uploadId }) => uploadId)).toEqual([
        keptEntry?.uploadId ?? '',
      ])
      await expect(doomed.uploadPart(bytesOf(7))).rejects.toMatchObject({ code: 'rejected' })
      await kept.complete()
      expect(await store.head(key)).not.toBeNull()
    })

    it('succeeds for an upload that is gone, however often', async () => {
      const { store } = subject()
      const key = freshKey()
      const upload = await store.startMultipart(key, { contentType })
      const [entry] = await store.listUnfinished(key)
      await upload.abort()
      await store.abortUnfinished(key, entry?.uploadId ?? '')
      await store.abortUnfinished(key, entry?.uploadId ?? '')
      expect(await store.listUnfinished(key)).toEqual([])
    })

    it('rejects with the reason when it was aborted before', async () => {
      const { store } = subject()
      const reason = new Error('the client went away')
      const signal = AbortSignal.abort(reason)
      expect(await failureOf(store.listUnfinished(freshKey(), { signal }))).toBe(reason)
      expect(await failureOf(store.abortUnfinished(freshKey(), 'none', { signal }))).toBe(reason)
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

    it('rejects with the reason when it was aborted before', async () => {
      const reason = new Error('the client went away')
      expect(await failureOf(subject().store.clock({ signal: AbortSignal.abort(reason) }))).toBe(reason)
    })
  })
}
