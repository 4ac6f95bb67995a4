import { describe, expect, it } from 'bun:test'
import type { FindingId } from '../../../service/object-store/probe/finding.ts'
import { probeStore, severityOf } from '../../../service/object-store/probe/probe.ts'
import { bareBucket } from '../../support/stores/bucket.ts'
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

/** Asks a row of a store that leaves a parameter out of account. */
function observeIgnored(id: FindingId, parameter: string) {
  return observeLies(id, {
    answer: async ({ query }, owner) => {
      const { [parameter]: ignored, ...others } = query
      if (ignored === undefined) return null
      return responseOf(await owner.send({ method: 'GET', key: null, query: others }))
    },
  })
}

describe('the row list', () => {
  it('is a yes where pages that continue by token name every key once', async () => {
    expect(await observe('list', store)).toEqual({ verdict: 'yes', seen: 'every key once' })
  })

  it('is a no where tokens are ignored', async () => {
    const ignored = await observeIgnored('list', 'continuation-token')
    expect(ignored).toEqual({ verdict: 'no', seen: 'pages without an end' })
  })

  it('is a no where a listing ends too early', async () => {
    const ended = await observeLies('list', {
      change: async (response, { method, query }) =>
        method === 'GET' && query['continuation-token'] !== undefined
          ? new Response((await response.text()).replace('<IsTruncated>true', '<IsTruncated>false'))
          : response,
    })
    expect(ended).toEqual({ verdict: 'no', seen: 'other keys than there are' })
  })
})

describe('the row list-after', () => {
  it('is a yes where a listing begins after any key', async () => {
    const seen = 'the next key, after each one'
    expect(await observe('list-after', store)).toEqual({ verdict: 'yes', seen })
  })

  it('is a no where start-after is ignored', async () => {
    const ignored = await observeIgnored('list-after', 'start-after')
    expect(ignored).toEqual({ verdict: 'no', seen: 'another key than the next one' })
  })

  it('is a no on MinIO in a bucket without lifecycle rules, which makes the store no less fit', async () => {
    const bare = { ...store.owner, bucket: await bareBucket(store.owner), connectionsMax: 4 }
    const onMinio = store.kind === 'minio'
    expect((await observe('list-after', bare)).verdict).toBe(onMinio ? 'no' : 'yes')
    expect((await observe('list', bare)).verdict).toBe('yes')
    const { findings } = await probeStore(bare, prefix, { securityOnly: true })
    expect(severityOf(findings)).toBe(0)
  })
})

describe('the row list-folders', () => {
  it('is a yes where a listing with a delimiter names every folder once', async () => {
    expect(await observe('list-folders', store)).toEqual({ verdict: 'yes', seen: 'every folder once' })
  })

  it('is a no where the delimiter, or tokens, are ignored', async () => {
    expect((await observeIgnored('list-folders', 'delimiter')).verdict).toBe('no')
    const repeated = await observeIgnored('list-folders', 'continuation-token')
    expect(repeated).toEqual({ verdict: 'no', seen: 'pages without an end' })
  })

  it('is a no where a folder is left out', async () => {
    const left = await observeLies('list-folders', {
      change: async (response, { method, query }) =>
        method === 'GET' && query.delimiter !== undefined
          ? new Response((await response.text()).replace(/<CommonPrefixes>.*?a\.b.*?<\/CommonPrefixes>/s, ''))
          : response,
    })
    expect(left).toEqual({ verdict: 'no', seen: 'other folders than there are' })
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
