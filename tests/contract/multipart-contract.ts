import { describe, expect, it } from 'bun:test'
import { bytesIn, bytesOf, failureOf, MiB } from '../support/stores/bodies.ts'
import { contentType, fresh, type Subject } from './store-under-test.ts'

const rejected = { name: 'ObjectStoreError', code: 'rejected' }

/** Checks what the port promises about uploads in parts. */
export function multipartContract(subject: Subject): void {
  completedUploads(subject)
  refusedUploads(subject)
  abortedUploads(subject)
}

function completedUploads(subject: Subject): void {
  describe('an upload in parts that is completed', () => {
    it('publishes the parts in the order of the calls', async () => {
      const { store, key } = fresh(subject)
      const upload = await store.startMultipart(key, { contentType: 'application/gzip' })
      await upload.uploadPart(bytesOf(5 * MiB, 1))
      await upload.uploadPart(bytesOf(6 * MiB, 2))
      await upload.uploadPart(bytesOf(3, 3))
      const { etag } = await upload.complete()
      const found = await store.get(key)
      expect(found).toMatchObject({ etag, size: 11 * MiB + 3, contentType: 'application/gzip' })
      const whole = Buffer.concat([bytesOf(5 * MiB, 1), bytesOf(6 * MiB, 2), bytesOf(3, 3)])
      expect(Buffer.compare(await bytesIn(found), whole)).toBe(0)
    })

    it('publishes a single part of any size', async () => {
      const { store, key, seen } = fresh(subject)
      const upload = await store.startMultipart(key, { contentType })
      await upload.uploadPart(bytesOf(7))
      const { etag } = await upload.complete()
      expect(await seen()).toMatchObject({ etag, bytes: bytesOf(7) })
    })

    it('publishes an empty object from one empty part', async () => {
      const { store, key, seen } = fresh(subject)
      const upload = await store.startMultipart(key, { contentType })
      await upload.uploadPart(new Uint8Array())
      await upload.complete()
      expect(await seen()).toMatchObject({ size: 0, contentType })
    })

    it('shows nothing before, and replaces what was there', async () => {
      const { store, key, put, seen } = fresh(subject)
      await put(bytesOf(3))
      const before = await seen()
      const upload = await store.startMultipart(key, { contentType })
      await upload.uploadPart(bytesOf(7))
      expect(await seen()).toEqual(before)
      await upload.complete()
      expect((await seen())?.bytes).toEqual(bytesOf(7))
    })

    it('is invisible to get, head and list until then', async () => {
      const { store, key } = fresh(subject)
      const upload = await store.startMultipart(key, { contentType })
      await upload.uploadPart(bytesOf(7))
      expect(await store.get(key)).toBeNull()
      expect(await store.head(key)).toBeNull()
      expect((await store.list({ prefix: key, limit: 10 })).objects).toEqual([])
      await upload.abort()
    })

    it('keeps two uploads to one key apart', async () => {
      const { store, key, seen } = fresh(subject)
      const first = await store.startMultipart(key, { contentType })
      const second = await store.startMultipart(key, { contentType })
      await first.uploadPart(bytesOf(7))
      await second.uploadPart(bytesOf(8))
      await first.complete()
      expect((await seen())?.bytes).toEqual(bytesOf(7))
      await second.complete()
      expect((await seen())?.bytes).toEqual(bytesOf(8))
    })
  })
}

function refusedUploads(subject: Subject): void {
  describe('an upload in parts that cannot be completed', () => {
    it('refuses a part below 5 MiB before the last', async () => {
      const { store, key } = fresh(subject)
      const upload = await store.startMultipart(key, { contentType })
      await upload.uploadPart(bytesOf(5 * MiB - 1))
      await upload.uploadPart(bytesOf(1))
      await expect(upload.complete()).rejects.toMatchObject(rejected)
      expect(await store.head(key)).toBeNull()
      await upload.abort()
    })

    it('refuses an upload without parts', async () => {
      const { store, key } = fresh(subject)
      const upload = await store.startMultipart(key, { contentType })
      await expect(upload.complete()).rejects.toMatchObject(rejected)
      expect(await store.head(key)).toBeNull()
      await upload.abort()
    })

    it('refuses further parts and completion after an abort', async () => {
      const { knowsAbortedUploads } = subject()
      const { store, key } = fresh(subject)
      const upload = await store.startMultipart(key, { contentType })
      await upload.uploadPart(bytesOf(7))
      await upload.abort()
      await expect(upload.uploadPart(bytesOf(7))).rejects.toMatchObject(rejected)
      await expect(upload.complete()).rejects.toMatchObject(
        knowsAbortedUploads ? rejected : { name: 'ObjectStoreError', code: 'unavailable' },
      )
      expect(await store.head(key)).toBeNull()
    })
  })
}

function abortedUploads(subject: Subject): void {
  describe('an upload in parts that is aborted', () => {
    const reason = new Error('the client went away')

    it('discards the parts and leaves what was there', async () => {
      const { store, key, put, seen } = fresh(subject)
      await put(bytesOf(3))
      const before = await seen()
      const upload = await store.startMultipart(key, { contentType })
      await upload.uploadPart(bytesOf(7))
      await upload.abort()
      expect(await seen()).toEqual(before)
      expect(await store.listUnfinished(key)).toEqual([])
    })

    it('can be repeated, and leaves a completed object alone', async () => {
      const { store, key, seen } = fresh(subject)
      const upload = await store.startMultipart(key, { contentType })
      await upload.uploadPart(bytesOf(7))
      await upload.complete()
      await upload.abort()
      await upload.abort()
      expect((await seen())?.bytes).toEqual(bytesOf(7))
    })

    it('rejects with the reason where a signal was aborted, and can continue without it', async () => {
      const { store, key, seen } = fresh(subject)
      const signal = AbortSignal.abort(reason)
      expect(await failureOf(store.startMultipart(key, { contentType, signal }))).toBe(reason)
      const upload = await store.startMultipart(key, { contentType })
      expect(await failureOf(upload.uploadPart(bytesOf(6), { signal }))).toBe(reason)
      await upload.uploadPart(bytesOf(7))
      expect(await failureOf(upload.complete({ signal }))).toBe(reason)
      expect(await store.head(key)).toBeNull()
      await upload.complete()
      expect((await seen())?.bytes).toEqual(bytesOf(7))
    })
  })
}
