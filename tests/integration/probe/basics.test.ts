import { describe, expect, it } from 'bun:test'
import { probeStore, severityOf } from '../../../service/object-store/probe/probe.ts'
import { refusal, responseOf } from '../../support/stores/lying-store.ts'
import { observe, prefix, useLies, useStore } from '../../support/stores/probe-under-test.ts'
import { startStoreProxy } from '../../support/stores/strict-proxy.ts'

const store = await useStore()
const observeLies = useLies(store)

describe('the row credentials', () => {
  it('is a yes where a wrong secret is refused', async () => {
    expect((await observe('credentials', store)).verdict).toBe('yes')
  })

  it('is a no where any secret is accepted', async () => {
    expect((await observeLies('credentials', { obey: /^$/ })).verdict).toBe('no')
  })

  it('is a no where ours is wrong', async () => {
    const wrong = { ...store, secretAccessKey: crypto.randomUUID() }
    expect(await observe('credentials', wrong)).toMatchObject({
      verdict: 'no',
      seen: expect.stringContaining('right: 403') as unknown,
    })
  })
})

describe('the row bucket', () => {
  it('is a yes where the bucket is there', async () => {
    expect((await observe('bucket', store)).verdict).toBe('yes')
  })

  it('is a no where the bucket is absent, and then nothing more is asked', async () => {
    const { findings, left } = await probeStore({ ...store, bucket: 'test-no-such-bucket' }, prefix)
    const found = new Map(findings.map(({ id, verdict, seen }) => [id, { verdict, seen }]))
    expect(found.get('bucket')).toEqual({ verdict: 'no', seen: 'right: 404; absent bucket: 403' })
    expect(found.get('copy-once')).toEqual({
      verdict: 'unknown',
      seen: 'not asked: the bucket cannot be reached',
    })
    expect(severityOf(findings)).toBe(2)
    expect(left).toEqual([])
  })

  it('is a no where every bucket is said to be there', async () => {
    expect((await observeLies('bucket', { change: () => new Response(null) })).verdict).toBe('no')
  })
})

describe('the row clock', () => {
  it('is a yes within a minute, and a no beyond it, either way', async () => {
    const skewed = async (clockSkewSeconds: number) => {
      const proxy = await startStoreProxy(store, { clockSkewSeconds })
      try {
        return await observe('clock', { ...proxy, bucket: store.bucket, connectionsMax: 1 })
      } finally {
        await proxy.stop()
      }
    }
    expect((await skewed(40)).verdict).toBe('yes')
    expect(await skewed(600)).toEqual({
      verdict: 'no',
      seen: expect.stringMatching(/is (599|600) s ahead/) as unknown as string,
    })
    expect((await skewed(-600)).seen).toMatch(/is (600|601) s behind/)
  })
})

describe('the row list', () => {
  it('is a yes where a listing continues after a key', async () => {
    expect((await observe('list', store)).verdict).toBe('yes')
  })

  it('is a no where start-after is ignored', async () => {
    const ignored = await observeLies('list', {
      answer: async ({ query }, owner) => {
        const { 'start-after': startAfter, ...others } = query
        if (startAfter === undefined) return null
        return responseOf(await owner.send({ method: 'GET', key: null, query: others }))
      },
    })
    expect(ignored).toEqual({ verdict: 'no', seen: 'other keys than asked for' })
  })
})

describe('the row empty-object', () => {
  it('is a yes where an object can be empty', async () => {
    expect((await observe('empty-object', store)).verdict).toBe('yes')
  })

  it('is a no where it is refused, or filled', async () => {
    const refused = await observeLies('empty-object', {
      answer: ({ method }) => (method === 'PUT' ? refusal(411, 'MissingContentLength') : null),
    })
    expect(refused.verdict).toBe('no')
    const filled = await observeLies('empty-object', {
      change: (response, { method }) => (method === 'GET' ? new Response('bytes') : response),
    })
    expect(filled.verdict).toBe('no')
  })
})
