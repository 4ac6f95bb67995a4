import { describe, expect, it } from 'bun:test'
import {
  broken,
  type CheckResult,
  defineCheck,
  exitCodeOf,
  holds,
  Missing,
  type Verdict,
} from '../../../../../service/cli/checks/check.ts'
import { type PlannedCheck, planned, runChecks } from '../../../../../service/cli/checks/run-checks.ts'

const check = (id: string, more: Partial<PlannedCheck> = {}): PlannedCheck => ({
  id,
  sentence: `${id} holds`,
  needs: [],
  after: [],
  run: async () => holds(`${id} was seen`),
  ...more,
})
const verdictsOf = (results: readonly CheckResult[]) =>
  Object.fromEntries(results.map(({ id, verdict }) => [id, verdict]))

describe('runChecks', () => {
  it('gives one result for each check, in their order, whichever ended first', async () => {
    const slow = check('slow', { run: () => Bun.sleep(20).then(() => holds('at last')) })
    const ended: string[] = []
    const results = await runChecks([slow, check('quick')], { onEnd: ({ id }) => ended.push(id) })
    expect(results.map(({ id, seen }) => [id, seen])).toEqual([
      ['slow', 'at last'],
      ['quick', 'quick was seen'],
    ])
    expect(ended).toEqual(['quick', 'slow'])
  })

  it('runs side by side what does not depend on each other', async () => {
    const both = Promise.withResolvers<void>()
    let begun = 0
    const meet = async () => {
      begun += 1
      if (begun === 2) both.resolve()
      await both.promise
      return holds('met')
    }
    const results = await runChecks([check('a', { run: meet }), check('b', { run: meet })])
    expect(verdictsOf(results)).toEqual({ a: 'proved', b: 'proved' })
  })

  it('does not try what needs a check that failed, nor what needs that', async () => {
    const results = await runChecks([
      check('first', { run: async () => broken('a', 'b') }),
      check('second', { needs: ['first'] }),
      check('third', { needs: ['second'] }),
      check('apart'),
    ])
    expect(verdictsOf(results)).toEqual({
      first: 'failed',
      second: 'not run',
      third: 'not run',
      apart: 'proved',
    })
    expect(results[1]).toMatchObject({ reason: 'needs first', seen: '' })
  })

  it('waits for what is named in after, and tries it whatever came of that', async () => {
    const order: string[] = []
    const told = (id: string, more: Partial<PlannedCheck> = {}) => {
      const run = async () => {
        await Bun.sleep(1)
        order.push(id)
        return broken('', 'no')
      }
      return check(id, { ...more, run })
    }
    await runChecks([told('last', { after: ['first', 'not in this run'] }), told('first')])
    expect(order).toEqual(['first', 'last'])
  })

  it('passes to a check what the checks that it needs or uses have found, and nothing of one that failed', async () => {
    const first = defineCheck({ id: 'first', sentence: '', run: async () => holds('seen', { url: 'a' }) })
    const failed = defineCheck({ id: 'failed', sentence: '', run: async () => broken('a', 'b') })
    const last = defineCheck({
      id: 'last',
      sentence: '',
      needs: { first },
      uses: { failed, other: first },
      run: async (context: string, { first: { url }, failed, other }) =>
        holds(`${context} ${url} ${failed} ${other?.url}`),
    })
    const results = await runChecks([last, failed, first].map((check) => planned(check, 'context')))
    expect(results[0]).toMatchObject({ verdict: 'proved', seen: 'context a undefined a' })
  })

  it('takes a thrown error for a failure, and Missing for something that is not there', async () => {
    const results = await runChecks([
      check('throws', { run: () => Promise.reject(new Error('broke off')) }),
      check('lacks', { run: () => Promise.reject(new Missing('a bucket')) }),
    ])
    expect(results).toMatchObject([
      { verdict: 'failed', reason: 'broke off' },
      { verdict: 'missing', reason: 'a bucket' },
    ])
  })

  it('does not try what is not asked, and never calls it proved', async () => {
    const run = () => Promise.reject(new Error('tried'))
    const results = await runChecks([
      check('a', { notAsked: 'no one wants to know', run }),
      check('b', { needs: ['a'] }),
    ])
    expect(verdictsOf(results)).toEqual({ a: 'not asked', b: 'not run' })
  })

  it('tries nothing more once it is interrupted', async () => {
    const interruption = new AbortController()
    const first = check('first', {
      run: async () => {
        interruption.abort()
        return holds('seen')
      },
    })
    const results = await runChecks([first, check('second', { after: ['first'] })], {
      signal: interruption.signal,
    })
    expect(results).toMatchObject([{ verdict: 'proved' }, { verdict: 'not run', reason: 'interrupted' }])
  })

  it('calls nothing failed that was interrupted in its middle', async () => {
    const interruption = new AbortController()
    const interrupted = check('interrupted', {
      run: async () => {
        interruption.abort(new Error('interrupted by SIGINT'))
        interruption.signal.throwIfAborted()
        return holds('never')
      },
    })
    const results = await runChecks([interrupted], { signal: interruption.signal })
    expect(results).toMatchObject([{ verdict: 'not run', reason: 'interrupted' }])
    expect(exitCodeOf(results)).toBe(3)
  })

  it('keeps secrets out of what a check says', async () => {
    const seen = 'Authorization: AWS4-HMAC-SHA256 Credential=AKID/2026/x, Signature=0123456789abcdef'
    const [result] = await runChecks([check('a', { run: async () => holds(seen) })])
    expect(result?.seen).not.toContain('0123456789abcdef')
  })

  it('refuses a plan that names what is not there, twice the same, or a circle', () => {
    expect(() => runChecks([check('a', { needs: ['b'] })])).toThrow('a needs b, which is not in the plan')
    expect(() => runChecks([check('a'), check('a')])).toThrow('two checks have the same id')
    const circle = [check('a', { needs: ['b'] }), check('b', { after: ['a'] })]
    expect(() => runChecks(circle)).toThrow('checks wait for each other: a → b → a')
  })
})

describe('the exit code', () => {
  const result = (verdict: Verdict): CheckResult => ({
    id: 'a',
    sentence: 'a',
    verdict,
    seen: '',
    reason: '',
    seconds: 0,
  })
  const codeOf = (...verdicts: Verdict[]) => exitCodeOf(verdicts.map(result))

  it('is 0 only where everything that was asked is proved', () => {
    expect(codeOf('proved', 'proved')).toBe(0)
    expect(codeOf('proved', 'not asked')).toBe(0)
  })

  it('is 1 as soon as one check failed, whatever else', () => {
    expect(codeOf('proved', 'failed', 'not run', 'missing')).toBe(1)
  })

  it('is 3 where something was missing or not tried, and where nothing was proved at all', () => {
    expect(codeOf('proved', 'missing')).toBe(3)
    expect(codeOf('proved', 'not run')).toBe(3)
    expect(codeOf('not asked')).toBe(3)
    expect(codeOf()).toBe(3)
  })
})
