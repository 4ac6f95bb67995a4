import { afterAll, describe, expect, it } from 'bun:test'
import { limits } from '../../service/limits.ts'
import type { ObjectStore } from '../../service/object-store/object-store.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { bytesOf, failureOf, seenUnder, streamOf } from '../support/stores/bodies.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { type Lies, refusal, type SeenRequest, startLyingStore } from '../support/stores/lying-store.ts'
import { storeForTests } from '../support/stores/store.ts'
import { relayTo } from '../support/stores/tcp-relay.ts'
import { until } from '../support/waiting.ts'
import { freshKey } from './store-under-test.ts'

const real = await storeForTests()
const bucket = await freshBucket(real)
const direct = createS3ObjectStore({ ...real, bucket, connectionsMax: 4 })
const stops: (() => unknown)[] = [() => direct.close()]
afterAll(async () => {
  for (const stop of stops) await stop()
})

const three = { size: 3, contentType: 'text/plain' }
const absent = { ...three, condition: { absent: true } } as const

/** A store that passes requests on, except for its lies, and the requests that reached it. */
function lying(lies: Lies): { store: ObjectStore; seen: SeenRequest[] } {
  const seen: SeenRequest[] = []
  const server = startLyingStore(
    { ...real, bucket },
    {
      ...lies,
      answer(request, owner) {
        seen.push(request)
        return lies.answer?.(request, owner) ?? null
      },
    },
  )
  const store = createS3ObjectStore({ ...server, bucket })
  stops.push(() => store.close(), server.stop)
  return { store, seen }
}

/** Lies to the first `times` requests that match: the store carries them out, and their answer is lost. */
function answersLost(times: number, matches: (request: SeenRequest) => boolean): Lies {
  let left = times
  return {
    change: (response, request) => {
      if (!matches(request) || left === 0) return response
      left -= 1
      return refusal(503, 'SlowDown')
    },
  }
}

const lostRace = () => refusal(409, 'ConditionalRequestConflict')
const isPut = ({ method }: SeenRequest) => method === 'PUT'
const isJoin = ({ method, query }: SeenRequest) => method === 'POST' && query.uploadId !== undefined

describe('a conditional put that the store answers with 409', () => {
  it('is repeated, because the race may have been lost against a delete', async () => {
    let races = 1
    const { store, seen } = lying({ answer: () => (races-- > 0 ? lostRace() : null) })
    const key = freshKey()
    expect(await store.put(key, bytesOf(3), absent)).not.toBeNull()
    expect(seen.filter(isPut)).toHaveLength(2)
    expect(await seenUnder(direct, key)).toMatchObject({ bytes: bytesOf(3) })
  })

  it('fails as unavailable in the end, and is not taken for a condition that does not hold', async () => {
    const { store, seen } = lying({ answer: lostRace })
    await expect(store.put(freshKey(), bytesOf(3), absent)).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'ConditionalRequestConflict',
    })
    const etag = { ...three, condition: { etag: 'd41d8cd98f00b204e9800998ecf8427e' } }
    await expect(store.put(freshKey(), bytesOf(3), etag)).rejects.toMatchObject({ code: 'unavailable' })
    expect(seen.filter(isPut)).toHaveLength(2 * limits.storeAttemptsMax)
  })

  it('fails at once with a streamed body, which cannot be sent again', async () => {
    const { store, seen } = lying({ answer: lostRace })
    await expect(store.put(freshKey(), streamOf(bytesOf(3)), absent)).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'ConditionalRequestConflict',
    })
    expect(seen.filter(isPut)).toHaveLength(1)
  })
})

describe('a put whose answer is lost', () => {
  it('is repeated, and recognises its own object', async () => {
    const { store } = lying(answersLost(1, isPut))
    const key = freshKey()
    expect(await store.put(key, bytesOf(3), absent)).not.toBeNull()
  })

  it('is left to the caller if it may be tried only once', async () => {
    const { store, seen } = lying(answersLost(1, isPut))
    const key = freshKey()
    await expect(store.put(key, bytesOf(3), { ...absent, once: true })).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'SlowDown',
    })
    expect(seen.filter(isPut)).toHaveLength(1)
    expect(await direct.head(key)).not.toBeNull()
  })
})

describe('a read in one piece whose answer breaks off', () => {
  const bytes = bytesOf(100_000)
  const read = { bytesMax: bytes.length }

  /** A stored object, and a store over connections that break after half of its bytes, until they are whole again. */
  async function breaking() {
    const key = freshKey()
    await direct.put(key, bytes, { size: bytes.length, contentType: 'text/plain' })
    const relay = relayTo(Number(new URL(real.endpoint).port))
    relay.cutAfter(50_000)
    const endpoint = real.endpoint.replace(/:\d+$/, `:${relay.port}`)
    const store = createS3ObjectStore({ ...real, endpoint, bucket, connectionsMax: 4 })
    stops.push(() => store.close(), relay.stop)
    return { key, store, relay }
  }

  it('is repeated, and gives all bytes', async () => {
    const { key, store, relay } = await breaking()
    const reading = store.getWhole(key, read)
    await until(() => relay.requests.length > 0)
    await until(() => relay.open() === 0)
    relay.cutAfter(Number.POSITIVE_INFINITY)
    expect(await reading).toMatchObject({ size: bytes.length, body: bytes })
    expect(relay.requests.length).toBeGreaterThan(1)
  })

  it('is unavailable in the end, and never gives a part of the bytes', async () => {
    const { key, store, relay } = await breaking()
    await expect(store.getWhole(key, read)).rejects.toMatchObject({ code: 'unavailable' })
    expect(relay.requests).toHaveLength(limits.storeAttemptsMax)
  })
})

describe('a copy to an absent key whose answer is lost', () => {
  async function copied(store: ObjectStore, to: string) {
    const from = freshKey('from')
    const ifMatch = (await direct.put(from, bytesOf(3), three))?.etag ?? ''
    const metadata = { who: 'the copy' }
    return store.copyAbsent(from, to, { ...three, ifMatch, metadata })
  }

  it('is repeated, and recognises its own object', async () => {
    const { store, seen } = lying(answersLost(1, isJoin))
    const to = freshKey('to')
    expect(await copied(store, to)).toBe('copied')
    expect(seen.filter(isJoin)).toHaveLength(2)
    expect(await seenUnder(direct, to)).toMatchObject({ metadata: { who: 'the copy' } })
  })

  it('does not take an object of the same bytes for its own', async () => {
    let joins = 0
    const to = freshKey('to')
    const { store } = lying({
      answer: async (request) => {
        if (!isJoin(request) || joins++ > 0) return null
        await direct.put(to, bytesOf(3), { ...three, metadata: { who: 'another' } })
        return refusal(503, 'SlowDown')
      },
    })
    expect(await copied(store, to)).toBe('exists')
    expect(await seenUnder(direct, to)).toMatchObject({ metadata: { who: 'another' } })
  })

  it('is unavailable if its own object was deleted before the next try', async () => {
    const to = freshKey('to')
    const { store } = lying({
      change: async (response, request) => {
        if (!isJoin(request) || !response.ok) return response
        await direct.delete(to)
        return refusal(503, 'SlowDown')
      },
    })
    await expect(copied(store, to)).rejects.toMatchObject({ code: 'unavailable', reason: 'NoSuchUpload' })
    expect(await direct.head(to)).toBeNull()
  })

  it('deletes neither its own object nor another one when it fails in the end', async () => {
    const { store, seen } = lying(answersLost(Number.POSITIVE_INFINITY, isJoin))
    const to = freshKey('to')
    await expect(copied(store, to)).rejects.toMatchObject({ code: 'unavailable' })
    expect(seen.filter(({ method, query }) => method === 'DELETE' && !query.uploadId)).toEqual([])
    expect(await direct.head(to)).not.toBeNull()
  })
})

describe('an upload in parts whose caller gives up while it begins', () => {
  it('is rejected at once, and aborted in the store, where no one else knows of it', async () => {
    const begun = Promise.withResolvers<void>()
    const answering = Promise.withResolvers<void>()
    const { store } = lying({
      async change(response, { method }) {
        if (method !== 'POST') return response
        begun.resolve()
        await answering.promise
        return response
      },
    })
    const key = freshKey()
    const caller = new AbortController()
    const beginning = failureOf(
      store.startMultipart(key, { contentType: 'text/plain', signal: caller.signal }),
    )
    await begun.promise
    caller.abort(new Error('given up'))
    expect(await beginning).toMatchObject({ message: 'given up' })
    expect(await direct.listUnfinished(key)).toHaveLength(1)
    answering.resolve()
    await until(async () => (await direct.listUnfinished(key)).length === 0)
  })
})

describe('a delete that expires', () => {
  it('is sent once, over a connection of its own, even if the store closes idle connections', async () => {
    const relay = relayTo(Number(new URL(real.endpoint).port))
    const endpoint = `http://127.0.0.1:${relay.port}`
    const store = createS3ObjectStore({ ...real, endpoint, bucket, connectionsMax: 1 })
    stops.push(() => store.close(), relay.stop)
    const key = freshKey()
    await store.put(key, bytesOf(3), three)
    const signedAt = await store.clock()
    relay.lose(10, /^DELETE/)
    await expect(store.deleteBefore(key, { signedAt, expiresInSeconds: 30 })).rejects.toMatchObject({
      code: 'unavailable',
      operation: 'deleteBefore',
    })
    expect(relay.requests.filter((line) => line.startsWith('DELETE'))).toHaveLength(1)
    relay.lose(0)
    expect(await store.deleteBefore(key, { signedAt, expiresInSeconds: 30 })).toBe('deleted')
  })

  it('is repeated while the store turns requests away, up to the bound of any call', async () => {
    for (const [times, outcome] of [
      [2, 'deleted'],
      [3, 'unavailable'],
    ] as const) {
      let left = times
      const { store, seen } = lying({
        answer: ({ method }) => (method === 'DELETE' && left-- > 0 ? refusal(429) : null),
      })
      const deleting = store.deleteBefore(freshKey(), { signedAt: await store.clock(), expiresInSeconds: 30 })
      expect(await deleting.catch(({ code }) => code)).toBe(outcome)
      expect(seen.filter(({ method }) => method === 'DELETE')).toHaveLength(3)
    }
  })

  it('is unavailable, and not repeated, if the store answers that it is overloaded', async () => {
    const { store, seen } = lying({ answer: ({ method }) => (method === 'DELETE' ? refusal(503) : null) })
    await expect(
      store.deleteBefore(freshKey(), { signedAt: new Date(), expiresInSeconds: 30 }),
    ).rejects.toMatchObject({ code: 'unavailable' })
    expect(seen).toHaveLength(1)
  })
})
