import { describe, expect, it } from 'bun:test'
import { limits } from '../../../../../service/limits.ts'
import { ObjectStoreError } from '../../../../../service/object-store/object-store.ts'
import { backOffMilliseconds, withRetries } from '../../../../../service/object-store/s3/errors.ts'

function drawn(tries: number, retryAfter?: number): { least: number; most: number; different: number } {
  const waits = Array.from({ length: 1000 }, () => backOffMilliseconds(tries, retryAfter))
  return { least: Math.min(...waits), most: Math.max(...waits), different: new Set(waits).size }
}

describe('the wait before a call is repeated', () => {
  it('is random each time, from a range that doubles', () => {
    const first = drawn(1)
    expect(first.least).toBeGreaterThanOrEqual(0)
    expect(first.most).toBeLessThanOrEqual(200)
    expect(first.different).toBeGreaterThan(900)
    const second = drawn(2)
    expect(second.most).toBeGreaterThan(200)
    expect(second.most).toBeLessThanOrEqual(400)
  })

  it('is added to what the store asked for, up to a limit', () => {
    const asked = limits.storeRetryWaitSecondsMax * 1000
    expect(drawn(1, 1).least).toBeGreaterThanOrEqual(1000)
    expect(drawn(1, 86_400).least).toBeGreaterThanOrEqual(asked)
    expect(drawn(1, 86_400).most).toBeLessThanOrEqual(asked + 200)
  })
})

describe('calls that fail', () => {
  const failing = (code: 'unavailable' | 'rejected', failures: number) => {
    const seen: number[] = []
    const attempt = async (tries: number) => {
      seen.push(tries)
      if (tries <= failures) throw new ObjectStoreError(code, 'get', 'SlowDown')
      return 'found'
    }
    return { seen, attempt }
  }

  it('are repeated until they succeed', async () => {
    const { seen, attempt } = failing('unavailable', 2)
    expect(await withRetries(attempt, undefined)).toBe('found')
    expect(seen).toEqual([1, 2, 3])
  })

  it('are repeated no more than the limit says', async () => {
    const { seen, attempt } = failing('unavailable', Number.POSITIVE_INFINITY)
    await expect(withRetries(attempt, undefined)).rejects.toMatchObject({ reason: 'SlowDown' })
    expect(seen).toHaveLength(limits.storeAttemptsMax)
  })

  it('are not repeated where that cannot help', async () => {
    const { seen, attempt } = failing('rejected', 1)
    await expect(withRetries(attempt, undefined)).rejects.toMatchObject({ code: 'rejected' })
    expect(seen).toEqual([1])
  })

  it('are not repeated for a caller that has aborted', async () => {
    const { seen, attempt } = failing('unavailable', 2)
    const reason = new Error('the client went away')
    await expect(withRetries(attempt, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(seen).toEqual([1])
  })
})
