import { describe, expect, it } from 'bun:test'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { refusal, type SeenRequest } from '../../support/stores/lying-store.ts'
import { observe, useLies, useStore } from '../../support/stores/probe-under-test.ts'

const store = await useStore()
const observeLies = useLies(store)

describe('the row checksum-put', () => {
  it('is a yes where other bytes are refused, and a no where they are taken', async () => {
    expect((await observe('checksum-put', store)).verdict).toBe('yes')
    expect((await observeLies('checksum-put', { obey: /\/wrong$/ })).verdict).toBe('no')
  })

  it('is a no where the right bytes are refused as well', async () => {
    const answer = () => refusal(400, 'BadDigest')
    expect((await observeLies('checksum-put', { answer })).verdict).toBe('no')
  })
})

describe('the row conditional-put', () => {
  it('is a yes where an existing key stays, and one of many racers wins', async () => {
    expect(await observe('conditional-put', store)).toMatchObject({
      verdict: 'yes',
      seen: expect.stringContaining('8 racers: 1 won') as unknown,
    })
  })

  it('is a no where If-None-Match is ignored', async () => {
    expect((await observeLies('conditional-put', { obey: /create\/existing$/ })).verdict).toBe('no')
  })

  it('is unknown where the key may not write at all', async () => {
    const answer = ({ method }: SeenRequest) => (method === 'PUT' ? refusal(403) : null)
    expect((await observeLies('conditional-put', { answer })).verdict).toBe('unknown')
    expect((await observeLies('conditional-overwrite', { answer })).verdict).toBe('unknown')
  })

  it('is a no where it holds except in a race', async () => {
    const raced = await observeLies('conditional-put', { obey: /create\/race$/ })
    expect(raced).toMatchObject({
      verdict: 'no',
      seen: expect.stringContaining('8 racers: 8 won') as unknown,
    })
  })
})

describe('the row conditional-overwrite', () => {
  it('is a yes where a stale ETag is refused, and one of many racers wins', async () => {
    expect((await observe('conditional-overwrite', store)).verdict).toBe('yes')
  })

  it('is a yes where losers are answered 500 at first, as RGW 16.2 does', async () => {
    const asked = new Map<string, number>()
    const observed = await observeLies('conditional-overwrite', {
      change(response, { key, body }) {
        if (response.status !== 412 || !key.endsWith('/race')) return response
        asked.set(body, (asked.get(body) ?? 0) + 1)
        return asked.get(body) === 1 ? refusal(500, 'UnknownError') : response
      },
    })
    expect(observed.verdict).toBe('yes')
    expect(observed.seen).toMatch(/8 racers: 1 won, 7 had to ask twice$/)
  })

  it('is unknown where losers are answered 500 however often they ask', async () => {
    const observed = await observeLies('conditional-overwrite', {
      change: (response, { key }) =>
        response.status === 412 && key.endsWith('/race') ? refusal(500, 'UnknownError') : response,
    })
    expect(observed.verdict).toBe('unknown')
  })

  it('is a no where If-Match is ignored, or holds except in a race', async () => {
    expect((await observeLies('conditional-overwrite', { obey: /overwrite\/existing$/ })).verdict).toBe('no')
    expect((await observeLies('conditional-overwrite', { obey: /overwrite\/race$/ })).verdict).toBe('no')
  })

  it('is a no where a loser is refused, and its bytes stay', async () => {
    const sneaked = await observeLies('conditional-overwrite', {
      change: (response, { method, key }) =>
        method === 'GET' && key.endsWith('/race') ? new Response('racer who lost') : response,
    })
    expect(sneaked).toMatchObject({
      verdict: 'no',
      seen: expect.stringContaining('other bytes stayed') as unknown,
    })
  })
})

describe('the row get-if-match', () => {
  it('is a yes where a stale ETag is refused, and a no where it is ignored', async () => {
    expect((await observe('get-if-match', store)).verdict).toBe('yes')
    expect((await observeLies('get-if-match', { obey: /get-if-match$/ })).verdict).toBe('no')
  })
})

describe('the row copy-once', () => {
  const isPart = ({ headers }: { headers: Headers }) => headers.has('x-amz-copy-source')
  const isJoin = ({ method, query }: SeenRequest) => method === 'POST' && query.uploadId !== undefined

  it('is a yes where a stale pin and an existing target are refused, and one of many racers wins', async () => {
    expect(await observe('copy-once', store)).toMatchObject({
      verdict: 'yes',
      seen: expect.stringContaining('8 racers: 1 won') as unknown,
    })
  })

  it('is a no where the pin, the target or a race makes no difference', async () => {
    const verdictOf = async (obey: RegExp) => (await observeLies('copy-once', { obey })).verdict
    expect(await verdictOf(/copy\/stale$/)).toBe('no')
    expect(await verdictOf(/copy\/existing$/)).toBe('no')
    expect(await verdictOf(/copy\/race\/1$/)).toBe('no')
    expect(await verdictOf(/copy\/race\/3$/)).toBe('no')
  })

  it('is a no where the target is replaced, whatever is answered', async () => {
    const denied = await observeLies('copy-once', {
      obey: /copy\/existing$/,
      change: (response, request) =>
        isJoin(request) && request.key.endsWith('copy/existing')
          ? refusal(412, 'PreconditionFailed')
          : response,
    })
    expect(denied).toMatchObject({
      verdict: 'no',
      seen: expect.stringContaining('the target was replaced') as unknown,
    })
  })

  it('is a no where copies are refused, or only said to have happened', async () => {
    const denied = await observeLies('copy-once', {
      answer: (request) => (isPart(request) ? refusal(403, 'AccessDenied') : null),
    })
    expect(denied.verdict).toBe('no')
    const pretended = await observeLies('copy-once', {
      answer: (request) =>
        isJoin(request) && request.key.endsWith('copy/target') ? new Response('<Ok/>') : null,
    })
    expect(pretended).toMatchObject({
      verdict: 'no',
      seen: expect.stringContaining('nothing copied') as unknown,
    })
  })

  it('is unknown where the store fails, also if it writes the failure below a status of 200', async () => {
    const failing = await observeLies('copy-once', {
      answer: (request) => (isPart(request) ? refusal(503, 'SlowDown') : null),
    })
    expect(failing.verdict).toBe('unknown')
    const late = await observeLies('copy-once', {
      answer: (request) => (isJoin(request) ? refusal(200, 'InternalError') : null),
    })
    expect(late.verdict).toBe('unknown')
  })

  it('leaves no unfinished upload, whichever way it ends', async () => {
    const owner = createS3ObjectStore({ ...store.owner, bucket: store.bucket, connectionsMax: 2 })
    const targets: string[] = []
    await observeLies('copy-once', {
      answer: ({ method, query, key }) => {
        if (method === 'POST' && query.uploads !== undefined) targets.push(key)
        return null
      },
    })
    expect(targets.length).toBeGreaterThan(10)
    for (const key of targets) expect(await owner.listUnfinished(key)).toEqual([])
    owner.close()
  })
})

describe('the row delete-expires', () => {
  const isDelete = ({ method, query }: SeenRequest) =>
    method === 'DELETE' && query['X-Amz-Expires'] !== undefined

  it('is a yes where a presigned DELETE is refused once it has expired', async () => {
    expect(await observe('delete-expires', store)).toEqual({
      verdict: 'yes',
      seen: 'right: 204; 5 s after expiry: 403 AccessDenied',
    })
  })

  it('is a no where it is still carried out, whatever is answered', async () => {
    const obey = /\/delete$/
    expect((await observeLies('delete-expires', { obey })).verdict).toBe('no')
    const denied = await observeLies('delete-expires', {
      obey,
      change: (response, request) =>
        isDelete(request) && request.query['X-Amz-Expires'] === '25' ? refusal(403) : response,
    })
    expect(denied).toMatchObject({ verdict: 'no', seen: expect.stringContaining('then 404') as unknown })
  })

  it('is a no where presigned DELETEs are never accepted, and unknown without an answer or a date', async () => {
    const answering = (status: number) =>
      observeLies('delete-expires', {
        answer: (request) => (isDelete(request) ? refusal(status) : null),
      })
    expect((await answering(403)).verdict).toBe('no')
    expect((await answering(503)).verdict).toBe('unknown')
    const withoutDate = await observeLies('delete-expires', {
      change(response, { method }) {
        if (method !== 'HEAD') return response
        const headers = new Headers(response.headers)
        headers.set('date', 'some day')
        return new Response(null, { status: response.status, headers })
      },
    })
    expect(withoutDate).toEqual({ verdict: 'unknown', seen: '200, no Date' })
  })
})
