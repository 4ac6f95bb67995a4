import { describe, expect, it } from 'bun:test'
import { described, judge, judgeOne } from '../../../../../service/object-store/probe/finding.ts'
import { noAnswer, type ProbeAnswer } from '../../../../../service/object-store/s3/probe-client.ts'

function answer(status: number, code = ''): ProbeAnswer {
  return { ...noAnswer, status, code }
}

describe('judge', () => {
  it('says yes only where the right request succeeded and every wrong one got a 4xx', () => {
    expect(judge(answer(200), { forged: answer(403, 'AccessDenied') })).toEqual({
      verdict: 'yes',
      seen: 'right: 200; forged: 403 AccessDenied',
    })
    expect(judge(answer(204), { stale: answer(412), longer: answer(400) }).verdict).toBe('yes')
  })

  it('says no where one wrong request was accepted, whatever the other answers', () => {
    expect(judge(answer(200), { one: answer(403), other: answer(200) }).verdict).toBe('no')
    expect(judge(answer(503), { one: answer(204) }).verdict).toBe('no')
    expect(judge(noAnswer, { one: answer(200) }).verdict).toBe('no')
  })

  it('says no where the right request was refused: a store that refuses everything shows nothing', () => {
    expect(judge(answer(403), { one: answer(403) }).verdict).toBe('no')
  })

  it('does not know where a wrong request failed, was too early or not answered', () => {
    expect(judge(answer(200), { one: answer(500) }).verdict).toBe('unknown')
    expect(judge(answer(200), { one: answer(501) }).verdict).toBe('unknown')
    expect(judge(answer(200), { one: answer(403), other: noAnswer }).verdict).toBe('unknown')
    expect(judge(answer(200), { one: answer(408) }).verdict).toBe('unknown')
    expect(judge(answer(200), { one: answer(425) }).verdict).toBe('unknown')
    expect(judge(answer(200), { one: answer(429) }).verdict).toBe('unknown')
    expect(judge(answer(200), { one: answer(307) }).verdict).toBe('unknown')
  })

  it('does not know where the right request failed or was not answered', () => {
    expect(judge(answer(503), { one: answer(403) }).verdict).toBe('unknown')
    expect(judge(answer(429), { one: answer(403) }).verdict).toBe('unknown')
    expect(judge(noAnswer, { one: answer(403) }).verdict).toBe('unknown')
  })

  it('does not know where nothing wrong was tried', () => {
    expect(judge(answer(200), {}).verdict).toBe('unknown')
  })
})

describe('judgeOne', () => {
  it('takes 2xx for a yes, 4xx for a no, and the rest for unknown', () => {
    expect(judgeOne(answer(206))).toEqual({ verdict: 'yes', seen: '206' })
    expect(judgeOne(answer(404, 'NoSuchKey'))).toEqual({ verdict: 'no', seen: '404 NoSuchKey' })
    expect(judgeOne(answer(429)).verdict).toBe('unknown')
    expect(judgeOne(answer(503)).verdict).toBe('unknown')
    expect(judgeOne(answer(301)).verdict).toBe('unknown')
    expect(judgeOne(noAnswer)).toEqual({ verdict: 'unknown', seen: 'no answer' })
  })
})

describe('described', () => {
  it('is the status, and the code where the store gave one', () => {
    expect(described(answer(403, 'AccessDenied'))).toBe('403 AccessDenied')
    expect(described(answer(412))).toBe('412')
    expect(described(noAnswer)).toBe('no answer')
  })
})
