import { beforeAll, describe, expect, it } from 'bun:test'
import { isWhole } from '../../service/object-store/object-store.ts'
import type { ByteRange } from '../../service/wire/byte-range.ts'
import { bytesIn, bytesOf, failureOf, KiB, MiB } from '../support/stores/bodies.ts'
import { contentType, fresh, freshKey, type Subject } from './store-under-test.ts'

/** Checks what the port promises about reads. */
export function getContract(subject: Subject): void {
  wholeReads(subject)
  conditionalReads(subject)
  readsOfChanges(subject)
  satisfiableRanges(subject)
  unsatisfiableRanges(subject)
  abandonedReads(subject)
  describeHead(subject)
}

function wholeReads(subject: Subject): void {
  describe('get', () => {
    it('gives the bytes and all that is known about them', async () => {
      const { store, key } = fresh(subject)
      const put = await store.put(key, bytesOf(200 * KiB), {
        size: 200 * KiB,
        contentType: 'text/csv; charset=utf-8',
        metadata: { 'trace-id': '4bf92f3577b34da6a3ce929d0e0e4736' },
      })
      const found = await store.get(key)
      expect(found).toMatchObject({
        key,
        size: 200 * KiB,
        etag: put?.etag ?? '',
        contentType: 'text/csv; charset=utf-8',
        metadata: { 'trace-id': '4bf92f3577b34da6a3ce929d0e0e4736' },
        range: null,
      })
      expect(Math.abs((found?.lastModified.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
      expect(Buffer.compare(await bytesIn(found), bytesOf(200 * KiB))).toBe(0)
    })

    it('answers null for an absent key', async () => {
      expect(await subject().store.get(freshKey())).toBeNull()
    })

    it('answers null for an absent key with a range or an ETag too', async () => {
      expect(await subject().store.get(freshKey(), { range: { first: 0 } })).toBeNull()
      expect(
        await subject().store.get(freshKey(), { ifMatch: 'd41d8cd98f00b204e9800998ecf8427e' }),
      ).toBeNull()
    })

    it('does not take a prefix of a key for the key', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(1))
      expect(await store.get(key.slice(0, -1))).toBeNull()
      expect(await store.get(`${key}x`)).toBeNull()
      expect(await store.get(key.slice(0, key.lastIndexOf('/')))).toBeNull()
    })

    it('releases the bytes that were read: 1 GiB, read one object after the other, does not pile up', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(8 * MiB))
      const before = process.memoryUsage.rss()
      for (let round = 0; round < 128; round += 1) {
        for await (const chunk of (await store.get(key))?.body ?? []) expect(chunk.length).toBeGreaterThan(0)
      }
      // Half of what was read: the collector lets some of it lie for a while.
      expect(process.memoryUsage.rss() - before).toBeLessThan(512 * MiB)
    })
  })
}

function conditionalReads(subject: Subject): void {
  describe('get of a known ETag', () => {
    it('gives the object that has it, whole or in part', async () => {
      const { store, key, put } = fresh(subject)
      const stored = await put(bytesOf(100))
      const ifMatch = stored?.etag ?? ''
      expect(await bytesIn(await store.get(key, { ifMatch }))).toEqual(bytesOf(100))
      const part = await store.get(key, { ifMatch, range: { first: 10, last: 19 } })
      expect(await bytesIn(part)).toEqual(bytesOf(100).slice(10, 20))
    })

    it('refuses an object that has another', async () => {
      const { store, key, put } = fresh(subject)
      const stale = await put(bytesOf(100))
      await put(bytesOf(101))
      await expect(store.get(key, { ifMatch: stale?.etag ?? '' })).rejects.toMatchObject({
        name: 'ObjectStoreError',
        code: 'precondition_failed',
        operation: 'get',
      })
    })
  })
}

function readsOfChanges(subject: Subject): void {
  describe('getWhole', () => {
    it('answers that an object is unchanged while it has the ETag', async () => {
      const { store, key, put } = fresh(subject)
      const etag = (await put(bytesOf(100)))?.etag ?? ''
      expect(await store.getWhole(key, { bytesMax: KiB, unless: etag })).toBe('unchanged')
      expect(await store.getWhole(key, { bytesMax: KiB, unless: etag })).toBe('unchanged')
    })

    it('gives an object that has another ETag, with all that is known about it', async () => {
      const { store, key, put } = fresh(subject)
      const stale = (await put(bytesOf(100)))?.etag ?? ''
      const replaced = await put(bytesOf(101), { metadata: { who: 'the second' } })
      const found = await store.getWhole(key, { bytesMax: KiB, unless: stale })
      if (found === 'unchanged') throw new Error('it was replaced')
      expect(found).toMatchObject({
        ...{ key, size: 101, etag: replaced?.etag ?? '', range: null },
        metadata: { who: 'the second' },
      })
      expect(await bytesIn(found)).toEqual(bytesOf(101))
    })

    it('gives the bytes of an object that is not too large, and opens a larger one', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(100))
      const whole = await store.getWhole(key, { bytesMax: 100 })
      expect(whole).toMatchObject({ key, size: 100, contentType, range: null, body: bytesOf(100) })
      const open = await store.getWhole(key, { bytesMax: 99 })
      if (open === null || open === 'unchanged' || isWhole(open)) throw new Error('it is larger')
      expect(open).toMatchObject({ key, size: 100, contentType, range: null })
      expect(await bytesIn(open)).toEqual(bytesOf(100))
    })

    it('gives an empty object', async () => {
      const { store, key, put } = fresh(subject)
      await put(new Uint8Array())
      expect(await store.getWhole(key, { bytesMax: 0 })).toMatchObject({ size: 0, body: new Uint8Array() })
    })

    it('answers null for an absent key', async () => {
      expect(await subject().store.getWhole(freshKey(), { bytesMax: KiB })).toBeNull()
    })

    it('holds no connection for an object that was read, is unchanged, or absent', async () => {
      const { store, key, put } = fresh(subject)
      const etag = (await put(bytesOf(100)))?.etag ?? ''
      for (let round = 0; round < 100; round += 1) {
        expect(await store.getWhole(key, { bytesMax: KiB })).toMatchObject({ size: 100 })
        expect(await store.getWhole(key, { bytesMax: KiB, unless: etag })).toBe('unchanged')
        expect(await store.getWhole(`${key}-absent`, { bytesMax: KiB, unless: etag })).toBeNull()
      }
    })
  })
}

/** The range of an object of 1,000 bytes, as positions and bytes. */
function rangesOf(subject: Subject) {
  const bytes = bytesOf(1000)
  let key = ''
  beforeAll(async () => {
    key = freshKey()
    await subject().store.put(key, bytes, { size: 1000, contentType, metadata: { who: 'me' } })
  })
  return async (range: ByteRange) => {
    const found = await subject().store.get(key, { range })
    expect(found).toMatchObject({ key, size: 1000, contentType, metadata: { who: 'me' } })
    const { first, last } = found?.range ?? { first: 0, last: 999 }
    expect(await bytesIn(found)).toEqual(bytes.slice(first, last + 1))
    return { first, last }
  }
}

function satisfiableRanges(subject: Subject): void {
  describe('get of a range', () => {
    const read = rangesOf(subject)

    it('gives the bytes between two positions, both included', async () => {
      expect(await read({ first: 10, last: 19 })).toEqual({ first: 10, last: 19 })
    })

    it('gives a single byte', async () => {
      expect(await read({ first: 0, last: 0 })).toEqual({ first: 0, last: 0 })
      expect(await read({ first: 999, last: 999 })).toEqual({ first: 999, last: 999 })
    })

    it('gives the rest from a position on', async () => {
      expect(await read({ first: 990 })).toEqual({ first: 990, last: 999 })
    })

    it('gives everything from the first position on', async () => {
      expect(await read({ first: 0 })).toEqual({ first: 0, last: 999 })
    })

    it('stops at the end when the last position lies beyond it', async () => {
      expect(await read({ first: 990, last: 5000 })).toEqual({ first: 990, last: 999 })
    })

    it('gives the last bytes', async () => {
      expect(await read({ suffix: 10 })).toEqual({ first: 990, last: 999 })
      expect(await read({ suffix: 1 })).toEqual({ first: 999, last: 999 })
    })

    it('gives everything when more last bytes are asked for than there are', async () => {
      expect(await read({ suffix: 5000 })).toEqual({ first: 0, last: 999 })
    })
  })
}

function unsatisfiableRanges(subject: Subject): void {
  describe('get of a range outside the object', () => {
    const outside = { name: 'ObjectStoreError', code: 'range_unsatisfiable', operation: 'get' }

    it('refuses a range that starts at the end or after it', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(10))
      await expect(store.get(key, { range: { first: 10 } })).rejects.toMatchObject(outside)
      await expect(store.get(key, { range: { first: 11, last: 20 } })).rejects.toMatchObject(outside)
    })

    it('refuses every range of an empty object', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(0))
      await expect(store.get(key, { range: { first: 0 } })).rejects.toMatchObject(outside)
      await expect(store.get(key, { range: { first: 0, last: 0 } })).rejects.toMatchObject(outside)
      await expect(store.get(key, { range: { suffix: 1 } })).rejects.toMatchObject(outside)
    })
  })
}

function abandonedReads(subject: Subject): void {
  describe('get that is abandoned', () => {
    const reason = new Error('the client went away')

    it('rejects the read with the reason when it is aborted mid-body', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(16 * MiB))
      const abort = new AbortController()
      const reader = (await store.get(key, { signal: abort.signal }))?.body.getReader()
      expect((await reader?.read())?.done).toBe(false)
      abort.abort(reason)
      const readRest = async () => {
        while ((await reader?.read())?.done === false);
      }
      expect(await failureOf(readRest())).toBe(reason)
    })

    it('frees the connection of a body that is cancelled unread', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(MiB))
      for (let round = 0; round < 100; round += 1) await (await store.get(key))?.body.cancel()
      expect(await bytesIn(await store.get(key))).toHaveLength(MiB)
    })

    it('frees the connection of a body that is cancelled half-read', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(4 * MiB))
      for (let round = 0; round < 100; round += 1) {
        const reader = (await store.get(key))?.body.getReader()
        expect((await reader?.read())?.done).toBe(false)
        await reader?.cancel()
      }
      expect(await bytesIn(await store.get(key))).toHaveLength(4 * MiB)
    })

    it('frees the connection of a body that is aborted', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(MiB))
      for (let round = 0; round < 100; round += 1) {
        const abort = new AbortController()
        await store.get(key, { signal: abort.signal })
        abort.abort(reason)
      }
      expect(await bytesIn(await store.get(key))).toHaveLength(MiB)
    })

    it('needs no clean-up by the caller where there is no body, or the answer is an error', async () => {
      const { store, key, put } = fresh(subject)
      await put(bytesOf(9))
      for (let round = 0; round < 100; round += 1) {
        await store.get(freshKey())
        await failureOf(store.get(key, { range: { first: 9 } }))
      }
      expect(await bytesIn(await store.get(key))).toHaveLength(9)
    })
  })
}

function describeHead(subject: Subject): void {
  describe('head', () => {
    it('gives what get gives, without the bytes', async () => {
      const { store, key, put } = fresh(subject)
      const metadata = { who: 'me' }
      const stored = await put(bytesOf(10), { contentType: 'text/plain', metadata })
      const found = await store.get(key)
      await found?.body.cancel()
      const head = await store.head(key)
      const etag = stored?.etag ?? ''
      expect(head).toMatchObject({ key, size: 10, etag, contentType: 'text/plain', metadata })
      expect(head?.lastModified).toEqual(found?.lastModified ?? new Date(0))
    })

    it('answers null for an absent key', async () => {
      expect(await subject().store.head(freshKey())).toBeNull()
    })
  })
}
