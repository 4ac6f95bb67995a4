import { describe, expect, it } from 'bun:test'
import { refusal } from '../../support/stores/lying-store.ts'
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

describe('the row copy-pin', () => {
  it('is a yes where a stale pin is refused', async () => {
    expect((await observe('copy-pin', store)).verdict).toBe('yes')
  })

  it('is a no where the copy is made, whatever is answered', async () => {
    const obey = /pin\/stale\/target$/
    expect((await observeLies('copy-pin', { obey })).verdict).toBe('no')
    const denied = await observeLies('copy-pin', {
      obey,
      change: (response, { key, method }) =>
        method === 'PUT' && obey.test(key) ? refusal(412, 'PreconditionFailed') : response,
    })
    expect(denied.verdict).toBe('no')
  })
  it('is a no where copies are refused, or only said to have happened', async () => {
    const answering = (status: number) => ({
      answer: ({ headers }: { headers: Headers }) =>
        headers.has('x-amz-copy-source') ? refusal(status, 'AccessDenied') : null,
    })
    expect((await observeLies('copy-pin', answering(403))).verdict).toBe('no')
    expect((await observeLies('copy-pin', answering(200))).verdict).toBe('no')
    const pretended = await observeLies('copy-pin', {
      answer: ({ headers, key }) =>
        headers.has('x-amz-copy-source') && key.endsWith('pin/right/target') ? refusal(200) : null,
    })
    expect(pretended).toMatchObject({
      verdict: 'no',
      seen: expect.stringContaining('nothing copied') as unknown,
    })
  })

  it('is unknown where the store fails', async () => {
    const failing = await observeLies('copy-pin', {
      answer: ({ headers }) => (headers.has('x-amz-copy-source') ? refusal(503, 'SlowDown') : null),
    })
    expect(failing).toEqual({ verdict: 'unknown', seen: 'right: 503 SlowDown; stale pin: 503 SlowDown' })
  })
})
