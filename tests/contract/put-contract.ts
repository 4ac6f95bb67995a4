import { describe, expect, it } from 'bun:test'
import { ObjectStoreError } from '../../service/object-store/object-store.ts'
import {
  bytesIn,
  bytesOf,
  failingStream,
  failureOf,
  KiB,
  lateStream,
  MiB,
  seenUnder,
  stallingStream,
  streamOf,
} from '../support/stores/bodies.ts'
import { freshKey, type Subject } from './describe-object-store.ts'

const contentType = 'application/octet-stream'

export function bodiesContract(subject: Subject): void {
  wholeBodies(subject)
  describedBodies(subject)
  brokenStreams(subject)
  brokenPromises(subject)
  abortedPuts(subject)
}

function wholeBodies(subject: Subject): void {
  describe('put', () => {
    it('stores an empty buffer', async () => {
      const key = freshKey()
      const put = await subject().store.put(key, new Uint8Array(), { size: 0, contentType })
      const seen = await seenUnder(subject().store, key)
      expect(seen).toMatchObject({ size: 0, etag: put?.etag ?? '', bytes: new Uint8Array() })
    })

    it('stores an empty stream', async () => {
      const key = freshKey()
      await subject().store.put(key, streamOf(), { size: 0, contentType })
      expect(await seenUnder(subject().store, key)).toMatchObject({ size: 0, bytes: new Uint8Array() })
    })

    it('stores one byte', async () => {
      const key = freshKey()
      await subject().store.put(key, Uint8Array.of(0), { size: 1, contentType })
      expect(await seenUnder(subject().store, key)).toMatchObject({ size: 1, bytes: Uint8Array.of(0) })
    })

    it('stores one byte from a stream', async () => {
      const key = freshKey()
      await subject().store.put(key, streamOf(Uint8Array.of(255)), { size: 1, contentType })
      expect(await seenUnder(subject().store, key)).toMatchObject({ size: 1, bytes: Uint8Array.of(255) })
    })

    it('stores a buffer of some megabytes byte for byte', async () => {
      const key = freshKey()
      const bytes = bytesOf(3 * MiB + 1)
      await subject().store.put(key, bytes, { size: bytes.length, contentType })
      expect(Buffer.compare(await bytesIn(await subject().store.get(key)), bytes)).toBe(0)
    })

    it('stores a stream of uneven and empty chunks byte for byte', async () => {
      const key = freshKey()
      const bytes = bytesOf(6 * MiB + 3)
      const chunks = [
        bytes.subarray(0, 1),
        new Uint8Array(),
        bytes.subarray(1, 70 * KiB),
        bytes.subarray(70 * KiB, 5 * MiB),
        bytes.subarray(5 * MiB),
        new Uint8Array(),
      ]
      await subject().store.put(key, streamOf(...chunks), { size: bytes.length, contentType })
      expect(Buffer.compare(await bytesIn(await subject().store.get(key)), bytes)).toBe(0)
    })

    it('stores a part of a larger buffer and nothing around it', async () => {
      const key = freshKey()
      const bytes = bytesOf(100)
      await subject().store.put(key, bytes.subarray(10, 20), { size: 10, contentType })
      expect((await seenUnder(subject().store, key))?.bytes).toEqual(bytes.slice(10, 20))
    })

    it('replaces what was there, metadata and all', async () => {
      const { store } = subject()
      const key = freshKey()
      const before = await store.put(key, bytesOf(9), { size: 9, contentType, metadata: { who: 'first' } })
      const after = await store.put(key, bytesOf(5), { size: 5, contentType: 'text/plain' })
      expect(after?.etag).not.toBe(before?.etag ?? '')
      expect(await seenUnder(store, key)).toEqual({
        etag: after?.etag ?? '',
        size: 5,
        contentType: 'text/plain',
        metadata: {},
        bytes: bytesOf(5),
      })
    })

    it('gives ETags without quotes', async () => {
      const put = await subject().store.put(freshKey(), bytesOf(9), { size: 9, contentType })
      expect(put?.etag).toMatch(/^[^"]+$/)
    })
  })
}

function describedBodies(subject: Subject): void {
  describe('put, with a description', () => {
    it('keeps a content type with parameters', async () => {
      const key = freshKey()
      const type = 'multipart/mixed; boundary="a b=c"; charset=utf-8'
      await subject().store.put(key, bytesOf(3), { size: 3, contentType: type })
      expect((await subject().store.head(key))?.contentType).toBe(type)
    })

    it('keeps metadata with every printable ASCII character', async () => {
      const key = freshKey()
      const printable = String.fromCharCode(...Array.from({ length: 94 }, (_, index) => 0x21 + index))
      const metadata = { 'created-by': 'auth0|5f7c8ec7', printable, inner: 'two  spaces and one', n1: '0' }
      await subject().store.put(key, bytesOf(3), { size: 3, contentType, metadata })
      expect((await subject().store.head(key))?.metadata).toEqual(metadata)
    })

    it('keeps metadata of a streamed body', async () => {
      const key = freshKey()
      const metadata = { 'created-at': '2026-11-23T22:00:00.000Z' }
      await subject().store.put(key, streamOf(bytesOf(3)), { size: 3, contentType, metadata })
      expect((await subject().store.head(key))?.metadata).toEqual(metadata)
    })

    it('has no metadata where none was given', async () => {
      const key = freshKey()
      await subject().store.put(key, bytesOf(3), { size: 3, contentType })
      expect((await subject().store.head(key))?.metadata).toEqual({})
    })

    it('takes a body that hashes to the SHA-256 given with it', async () => {
      const key = freshKey()
      const sha256 = new Bun.CryptoHasher('sha256').update(bytesOf(9)).digest('hex')
      await subject().store.put(key, streamOf(bytesOf(9)), { size: 9, contentType, sha256 })
      expect((await seenUnder(subject().store, key))?.bytes).toEqual(bytesOf(9))
    })

    it('refuses one that does not, where the store checks it', async () => {
      const key = freshKey()
      const sha256 = new Bun.CryptoHasher('sha256').update(bytesOf(8)).digest('hex')
      const put = subject().store.put(key, streamOf(bytesOf(9)), { size: 9, contentType, sha256 })
      if (subject().verifiesSha256) {
        await expect(put).rejects.toMatchObject({ code: 'rejected', operation: 'put' })
        expect(await subject().store.head(key)).toBeNull()
      } else {
        await put
        expect((await seenUnder(subject().store, key))?.bytes).toEqual(bytesOf(9))
      }
    })
  })
}

function brokenStreams(subject: Subject): void {
  describe('put of a stream that breaks', () => {
    const broken = new Error('the disk is gone')

    it('throws what the stream threw and stores nothing', async () => {
      const key = freshKey()
      const body = failingStream(broken, bytesOf(100 * KiB))
      const put = subject().store.put(key, body, { size: MiB, contentType })
      expect(await failureOf(put)).toBe(broken)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('throws what the stream threw before its first byte', async () => {
      const key = freshKey()
      const put = subject().store.put(key, failingStream(broken), { size: 9, contentType })
      expect(await failureOf(put)).toBe(broken)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('stores nothing when the stream breaks only after the last promised byte', async () => {
      const key = freshKey()
      const fail = () => {
        throw broken
      }
      const body = lateStream(fail, bytesOf(100 * KiB))
      const put = subject().store.put(key, body, { size: 100 * KiB, contentType })
      expect(await failureOf(put)).toBe(broken)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('stores nothing when an empty stream breaks, however late', async () => {
      const key = freshKey()
      const fail = () => {
        throw broken
      }
      const put = subject().store.put(key, lateStream(fail), { size: 0, contentType })
      expect(await failureOf(put)).toBe(broken)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('leaves the object that was there', async () => {
      const { store } = subject()
      const key = freshKey()
      await store.put(key, bytesOf(7), { size: 7, contentType, metadata: { who: 'first' } })
      const before = await seenUnder(store, key)
      await failureOf(store.put(key, failingStream(broken, bytesOf(KiB)), { size: MiB, contentType }))
      expect(await seenUnder(store, key)).toEqual(before)
    })

    it('goes on working for others', async () => {
      const { store } = subject()
      const key = freshKey()
      for (let round = 0; round < 50; round += 1) {
        await failureOf(store.put(key, failingStream(broken, bytesOf(KiB)), { size: MiB, contentType }))
      }
      await store.put(key, streamOf(bytesOf(7)), { size: 7, contentType })
      expect((await seenUnder(store, key))?.bytes).toEqual(bytesOf(7))
    })
  })
}

function brokenPromises(subject: Subject): void {
  describe('put of a body that is not of the promised size', () => {
    const rejected = { name: 'ObjectStoreError', code: 'rejected', operation: 'put' }

    it('refuses a stream that ends short', async () => {
      const key = freshKey()
      const put = subject().store.put(key, streamOf(bytesOf(99)), { size: 100, contentType })
      await expect(put).rejects.toMatchObject(rejected)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('refuses an empty stream where bytes were promised', async () => {
      const key = freshKey()
      const put = subject().store.put(key, streamOf(), { size: 1, contentType })
      await expect(put).rejects.toMatchObject(rejected)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('refuses a stream whose last chunk runs past the end', async () => {
      const key = freshKey()
      const body = streamOf(bytesOf(60), bytesOf(41))
      await expect(subject().store.put(key, body, { size: 100, contentType })).rejects.toMatchObject(rejected)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('refuses a stream that goes on after the last promised byte', async () => {
      const key = freshKey()
      const body = lateStream(() => bytesOf(1), bytesOf(100 * KiB))
      const put = subject().store.put(key, body, { size: 100 * KiB, contentType })
      await expect(put).rejects.toMatchObject(rejected)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('refuses a stream of bytes where none were promised', async () => {
      const key = freshKey()
      const put = subject().store.put(key, streamOf(bytesOf(1)), { size: 0, contentType })
      await expect(put).rejects.toMatchObject(rejected)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('refuses a buffer of another size', async () => {
      const key = freshKey()
      await expect(subject().store.put(key, bytesOf(9), { size: 10, contentType })).rejects.toMatchObject(
        rejected,
      )
      await expect(subject().store.put(key, bytesOf(11), { size: 10, contentType })).rejects.toMatchObject(
        rejected,
      )
      expect(await subject().store.head(key)).toBeNull()
    })

    it('leaves the object that was there', async () => {
      const { store } = subject()
      const key = freshKey()
      await store.put(key, bytesOf(7), { size: 7, contentType })
      const before = await seenUnder(store, key)
      const short = await failureOf(store.put(key, streamOf(bytesOf(99)), { size: 100, contentType }))
      const long = await failureOf(store.put(key, streamOf(bytesOf(101)), { size: 100, contentType }))
      expect(short).toBeInstanceOf(ObjectStoreError)
      expect(long).toBeInstanceOf(ObjectStoreError)
      expect(await seenUnder(store, key)).toEqual(before)
    })
  })
}

function abortedPuts(subject: Subject): void {
  describe('put that is aborted', () => {
    const reason = new Error('the client went away')

    it('rejects with the reason and stores nothing, mid-stream', async () => {
      const key = freshKey()
      const abort = new AbortController()
      const { stream, stalled } = stallingStream(bytesOf(256 * KiB))
      const put = subject().store.put(key, stream, { size: MiB, contentType, signal: abort.signal })
      const failure = failureOf(put)
      await stalled
      abort.abort(reason)
      expect(await failure).toBe(reason)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('leaves the object that was there', async () => {
      const { store } = subject()
      const key = freshKey()
      await store.put(key, bytesOf(7), { size: 7, contentType })
      const before = await seenUnder(store, key)
      const abort = new AbortController()
      const { stream, stalled } = stallingStream(bytesOf(KiB))
      const failure = failureOf(store.put(key, stream, { size: MiB, contentType, signal: abort.signal }))
      await stalled
      abort.abort(reason)
      expect(await failure).toBe(reason)
      expect(await seenUnder(store, key)).toEqual(before)
    })

    it('rejects with the reason while it waits for the end of an empty stream', async () => {
      const key = freshKey()
      const abort = new AbortController()
      const { stream, stalled } = stallingStream()
      const failure = failureOf(
        subject().store.put(key, stream, { size: 0, contentType, signal: abort.signal }),
      )
      await stalled
      abort.abort(reason)
      expect(await failure).toBe(reason)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('does not begin when the signal was aborted before', async () => {
      const key = freshKey()
      const signal = AbortSignal.abort(reason)
      const put = subject().store.put(key, bytesOf(7), { size: 7, contentType, signal })
      expect(await failureOf(put)).toBe(reason)
      expect(await subject().store.head(key)).toBeNull()
    })

    it('takes a signal that is never aborted', async () => {
      const key = freshKey()
      const { signal } = new AbortController()
      await subject().store.put(key, streamOf(bytesOf(7)), { size: 7, contentType, signal })
      expect((await seenUnder(subject().store, key))?.bytes).toEqual(bytesOf(7))
    })
  })
}
