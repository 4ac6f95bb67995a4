import { describe, expect, it } from 'bun:test'
import type { PutOptions } from '../../service/object-store/object-store.ts'
import {
  bytesIn,
  bytesOf,
  failingStream,
  failureOf,
  KiB,
  lateStream,
  MiB,
  stallingStream,
  streamOf,
} from '../support/stores/bodies.ts'
import { contentType, fresh, freshKey, type Subject } from './store-under-test.ts'

/** Checks what the port promises about the bodies of puts. */
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
      const { put, seen } = fresh(subject)
      const stored = await put(new Uint8Array())
      expect(await seen()).toMatchObject({ size: 0, etag: stored?.etag ?? '', bytes: new Uint8Array() })
    })

    it('stores an empty stream', async () => {
      const { put, seen } = fresh(subject)
      await put(streamOf())
      expect(await seen()).toMatchObject({ size: 0, bytes: new Uint8Array() })
    })

    it('stores one byte', async () => {
      const { put, seen } = fresh(subject)
      await put(Uint8Array.of(0))
      expect(await seen()).toMatchObject({ size: 1, bytes: Uint8Array.of(0) })
    })

    it('stores one byte from a stream', async () => {
      const { put, seen } = fresh(subject)
      await put(streamOf(Uint8Array.of(255)), { size: 1 })
      expect(await seen()).toMatchObject({ size: 1, bytes: Uint8Array.of(255) })
    })

    it('stores a buffer of some megabytes byte for byte', async () => {
      const { store, key, put } = fresh(subject)
      const bytes = bytesOf(3 * MiB + 1)
      await put(bytes)
      expect(Buffer.compare(await bytesIn(await store.get(key)), bytes)).toBe(0)
    })

    it('stores a stream of uneven and empty chunks byte for byte', async () => {
      const { store, key, put } = fresh(subject)
      const bytes = bytesOf(6 * MiB + 3)
      const chunks = [
        bytes.subarray(0, 1),
        new Uint8Array(),
        bytes.subarray(1, 70 * KiB),
        bytes.subarray(70 * KiB, 5 * MiB),
        bytes.subarray(5 * MiB),
        new Uint8Array(),
      ]
      await put(streamOf(...chunks), { size: bytes.length })
      expect(Buffer.compare(await bytesIn(await store.get(key)), bytes)).toBe(0)
    })

    it('stores a part of a larger buffer and nothing around it', async () => {
      const { put, seen } = fresh(subject)
      const bytes = bytesOf(100)
      await put(bytes.subarray(10, 20))
      expect((await seen())?.bytes).toEqual(bytes.slice(10, 20))
    })

    it('replaces what was there, including its metadata', async () => {
      const { put, seen } = fresh(subject)
      const before = await put(bytesOf(9), { metadata: { who: 'first' } })
      const after = await put(bytesOf(5), { contentType: 'text/plain' })
      expect(after?.etag).not.toBe(before?.etag ?? '')
      expect(await seen()).toEqual({
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
  describe('put with a content type and metadata', () => {
    it('keeps a content type with parameters', async () => {
      const { store, key, put } = fresh(subject)
      const type = 'multipart/mixed; boundary="a b=c"; charset=utf-8'
      await put(bytesOf(3), { contentType: type })
      expect((await store.head(key))?.contentType).toBe(type)
    })

    it('keeps metadata with every printable ASCII character', async () => {
      const { store, key, put } = fresh(subject)
      const printable = String.fromCharCode(...Array.from({ length: 94 }, (_, index) => 0x21 + index))
      const metadata = { 'created-by': 'auth0|5f7c8ec7', printable, inner: 'two  spaces and one', n1: '0' }
      await put(bytesOf(3), { metadata })
      expect((await store.head(key))?.metadata).toEqual(metadata)
    })

    it('keeps metadata of a streamed body', async () => {
      const { store, key, put } = fresh(subject)
      const metadata = { 'created-at': '2026-11-23T22:00:00.000Z' }
      await put(streamOf(bytesOf(3)), { size: 3, metadata })
      expect((await store.head(key))?.metadata).toEqual(metadata)
    })

    it('has no metadata where none was given', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(3))
      expect((await store.head(key))?.metadata).toEqual({})
    })

    it('takes a body that hashes to the SHA-256 given with it', async () => {
      const { put, seen } = fresh(subject)
      const sha256 = new Bun.CryptoHasher('sha256').update(bytesOf(9)).digest('hex')
      await put(streamOf(bytesOf(9)), { size: 9, sha256 })
      expect((await seen())?.bytes).toEqual(bytesOf(9))
    })

    it('refuses a body that does not, where the store checks it', async () => {
      const { store, key, put, seen } = fresh(subject)
      const sha256 = new Bun.CryptoHasher('sha256').update(bytesOf(8)).digest('hex')
      const stored = put(streamOf(bytesOf(9)), { size: 9, sha256 })
      if (subject().verifiesSha256) {
        await expect(stored).rejects.toMatchObject({ code: 'rejected', operation: 'put' })
        expect(await store.head(key)).toBeNull()
      } else {
        await stored
        expect((await seen())?.bytes).toEqual(bytesOf(9))
      }
    })
  })
}

/** Puts a body that must fail, and returns with what; fails if anything is stored. */
async function failureOfPut(
  subject: Subject,
  body: Uint8Array | ReadableStream<Uint8Array>,
  options: Partial<PutOptions>,
): Promise<unknown> {
  const { store, key, put } = fresh(subject)
  const failure = await failureOf(put(body, options))
  expect(await store.head(key)).toBeNull()
  return failure
}

/** The same over an object that is there already, which must stay as it is. */
async function failureOfReplacement(
  subject: Subject,
  body: ReadableStream<Uint8Array>,
  options: Partial<PutOptions>,
): Promise<unknown> {
  const { put, seen } = fresh(subject)
  await put(bytesOf(7), { metadata: { who: 'first' } })
  const before = await seen()
  const failure = await failureOf(put(body, options))
  expect(await seen()).toEqual(before)
  return failure
}

function brokenStreams(subject: Subject): void {
  describe('put of a stream that breaks', () => {
    const broken = new Error('the disk is gone')
    const fail = () => {
      throw broken
    }

    it('throws what the stream threw and stores nothing', async () => {
      const body = failingStream(broken, bytesOf(100 * KiB))
      expect(await failureOfPut(subject, body, { size: MiB })).toBe(broken)
    })

    it('throws what the stream threw before its first byte', async () => {
      expect(await failureOfPut(subject, failingStream(broken), { size: 9 })).toBe(broken)
    })

    it('stores nothing when the stream breaks only after the last promised byte', async () => {
      const body = lateStream(fail, bytesOf(100 * KiB))
      expect(await failureOfPut(subject, body, { size: 100 * KiB })).toBe(broken)
    })

    it('stores nothing when an empty stream breaks, however late', async () => {
      expect(await failureOfPut(subject, lateStream(fail), { size: 0 })).toBe(broken)
    })

    it('leaves the object that was there', async () => {
      const body = failingStream(broken, bytesOf(KiB))
      expect(await failureOfReplacement(subject, body, { size: MiB })).toBe(broken)
    })

    it('still works for other callers', async () => {
      const { put, seen } = fresh(subject)
      for (let round = 0; round < 50; round += 1) {
        await failureOf(put(failingStream(broken, bytesOf(KiB)), { size: MiB }))
      }
      await put(streamOf(bytesOf(7)), { size: 7 })
      expect((await seen())?.bytes).toEqual(bytesOf(7))
    })
  })
}

function brokenPromises(subject: Subject): void {
  describe('put of a body that is not of the promised size', () => {
    const rejected = { name: 'ObjectStoreError', code: 'rejected', operation: 'put' }
    const expectRefused = async (body: Uint8Array | ReadableStream<Uint8Array>, size: number) =>
      expect(await failureOfPut(subject, body, { size })).toMatchObject(rejected)

    it('refuses a stream that ends short', async () => {
      await expectRefused(streamOf(bytesOf(99)), 100)
    })

    it('refuses an empty stream where bytes were promised', async () => {
      await expectRefused(streamOf(), 1)
    })

    it('refuses a stream whose last chunk runs past the end', async () => {
      await expectRefused(streamOf(bytesOf(60), bytesOf(41)), 100)
    })

    it('refuses a stream that continues after the last promised byte', async () => {
      await expectRefused(
        lateStream(() => bytesOf(1), bytesOf(100 * KiB)),
        100 * KiB,
      )
    })

    it('refuses a stream of bytes where none were promised', async () => {
      await expectRefused(streamOf(bytesOf(1)), 0)
    })

    it('refuses a buffer of another size', async () => {
      await expectRefused(bytesOf(9), 10)
      await expectRefused(bytesOf(11), 10)
    })

    it('leaves the object that was there', async () => {
      const short = await failureOfReplacement(subject, streamOf(bytesOf(99)), { size: 100 })
      const long = await failureOfReplacement(subject, streamOf(bytesOf(101)), { size: 100 })
      expect([short, long]).toMatchObject([rejected, rejected])
    })
  })
}

function abortedPuts(subject: Subject): void {
  describe('put that is aborted', () => {
    const reason = new Error('the client went away')

    /** A stream of these chunks, and a signal that aborts once more is asked for. */
    const abortedAfter = (...chunks: Uint8Array[]) => {
      const abort = new AbortController()
      const { stream, stalled } = stallingStream(...chunks)
      void stalled.then(() => abort.abort(reason))
      return { stream, signal: abort.signal }
    }

    it('rejects with the reason and stores nothing, mid-stream', async () => {
      const { stream, signal } = abortedAfter(bytesOf(256 * KiB))
      expect(await failureOfPut(subject, stream, { size: MiB, signal })).toBe(reason)
    })

    it('leaves the object that was there', async () => {
      const { stream, signal } = abortedAfter(bytesOf(KiB))
      expect(await failureOfReplacement(subject, stream, { size: MiB, signal })).toBe(reason)
    })

    it('rejects with the reason while it waits for the end of an empty stream', async () => {
      const { stream, signal } = abortedAfter()
      expect(await failureOfPut(subject, stream, { size: 0, signal })).toBe(reason)
    })

    it('takes a signal that is never aborted', async () => {
      const { put, seen } = fresh(subject)
      await put(streamOf(bytesOf(7)), { size: 7, signal: new AbortController().signal })
      expect((await seen())?.bytes).toEqual(bytesOf(7))
    })
  })
}
