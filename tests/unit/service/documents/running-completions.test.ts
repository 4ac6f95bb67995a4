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
  it('do the work of one upload once, and keep its result for a client that has to come back', async () => {
    const completions = createRunningCompletions(0.001)
    const one = work()
    const join = () => completions.join('one', 'version', one.run)
    expect(await Promise.all([join(), join()])).toEqual([null, null])
    one.end()
    expect(await join()).toEqual(accepted)
    expect(one.begun.times).toBe(1)
    // The result has been delivered.
    await join()
    expect(one.begun.times).toBe(2)
  })

  it('run one after the other for the same version, also after a failure', async () => {
    const completions = createRunningCompletions(60)
    const [first, second, other] = [work(), work(), work()]
    const failing = completions.join('first', 'version', first.run)
    const waiting = completions.join('second', 'version', second.run)
    other.end()
    await completions.join('other', 'other version', other.run)
    expect([first.begun.times, second.begun.times]).toEqual([1, 0])
    first.fail(new Error('no bytes'))
    await expect(failing).rejects.toThrow('no bytes')
    second.end()
    expect(await waiting).toEqual(accepted)
  })

  it('are refused as busy once too many are under way or wait to be fetched', async () => {
    const completions = createRunningCompletions(0.001)
    const each = work()
    const join = (id: number) => completions.join(String(id), String(id), each.run)
    await Promise.all(Array.from({ length: limits.completionsMax }, (_, id) => join(id)))
    each.end()
    await expect(join(limits.completionsMax)).rejects.toMatchObject({ code: 'busy' })
    expect(await join(0)).toEqual(accepted)
    expect(await join(limits.completionsMax)).toEqual(accepted)
  })
})
