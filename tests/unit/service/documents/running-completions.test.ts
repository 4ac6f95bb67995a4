import { describe, expect, it } from 'bun:test'
import type { Accepted } from '../../../../service/documents/documents.ts'
import { createRunningCompletions } from '../../../../service/documents/running-completions.ts'
import { limits } from '../../../../service/limits.ts'
import { versionOf } from '../../../support/service/documents-under-test.ts'

const document = {
  ...versionOf(new Uint8Array()),
  size: 0,
  contentType: '',
  createdAt: '',
  createdBy: '',
  tags: [],
}
const accepted: Accepted = { document, created: true }

/** Work that ends on request and counts how often it began. */
function work() {
  const result = Promise.withResolvers<Accepted>()
  const run = () => {
    begun.times += 1
    return result.promise
  }
  const begun = { times: 0 }
  return { run, begun, end: () => result.resolve(accepted), fail: result.reject }
}

describe('running completions', () => {
  it('do the work of one upload once: its version is new for one of the callers only', async () => {
    const completions = createRunningCompletions(60)
    const one = work()
    const joined = [completions.join('one', one.run), completions.join('one', one.run)]
    one.end()
    expect(await Promise.all(joined)).toEqual([accepted, { ...accepted, created: false }])
    expect(one.begun.times).toBe(1)
  })

  it('keep no client waiting for long: it comes back, and joins the work that is still under way', async () => {
    const completions = createRunningCompletions(0.001)
    const one = work()
    const join = () => completions.join('one', one.run)
    expect(await Promise.all([join(), join()])).toEqual([null, null])
    one.end()
    expect(await join()).toEqual(accepted)
    expect(one.begun.times).toBe(1)
  })

  it('keep the result of work that ends while no one waits, for the first client that comes back', async () => {
    const completions = createRunningCompletions(0.001)
    const [one, repeated] = [work(), work()]
    expect(await completions.join('one', one.run)).toBeNull()
    one.end()
    // Lets it end before anyone asks again.
    await Bun.sleep(0)
    expect(await completions.join('one', repeated.run)).toEqual(accepted)
    expect(repeated.begun.times).toBe(0)
    repeated.end()
    await completions.join('one', repeated.run)
    expect(repeated.begun.times).toBe(1)
  })

  it('forget what was answered, and what has failed', async () => {
    const completions = createRunningCompletions(60)
    const [failing, repeated] = [work(), work()]
    const failed = completions.join('one', failing.run)
    failing.fail(new Error('no bytes'))
    await expect(failed).rejects.toThrow('no bytes')
    repeated.end()
    expect(await completions.join('one', repeated.run)).toEqual(accepted)
    await completions.join('one', repeated.run)
    expect(repeated.begun.times).toBe(2)
  })

  it('are refused as busy once too many are under way', async () => {
    const completions = createRunningCompletions(0.001)
    const each = work()
    const join = (id: number) => completions.join(String(id), each.run)
    await Promise.all(Array.from({ length: limits.completionsMax }, (_, id) => join(id)))
    await expect(join(limits.completionsMax)).rejects.toMatchObject({ code: 'busy' })
    each.end()
    expect(await join(0)).toEqual(accepted)
    expect(await join(limits.completionsMax)).toEqual(accepted)
  })
})
