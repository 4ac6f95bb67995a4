import { describe, expect, it } from 'bun:test'
import { limits } from '../../../../../service/limits.ts'
import { ObjectStoreError } from '../../../../../service/object-store/object-store.ts'
import { createRetries, pauseMilliseconds } from '../../../../../service/object-store/s3/retries.ts'

function drawn(tries: number, retryAfter?: number): { least: number; most: number; different: number } {
  const waits = Array.from({ length: 1000 }, () => pauseMilliseconds(tries, retryAfter) ?? Number.NaN)
  return { least: Math.min(...waits), most: Math.max(...waits), different: new Set(waits).size }
}

const noPace = { succeeded() {}, slowedDown() {} }
const patient = { signal: undefined, deadlineSeconds: 30 }

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

  it('is added to what the store asked for', () => {
    const asked = limits.storeRetryWaitSecondsMax
    expect(drawn(1, asked).least).toBeGreaterThanOrEqual(asked * 1000)
    expect(drawn(1, asked).most).toBeLessThanOrEqual(asked * 1000 + 200)
  })

  it('is not made where the store asked for a longer one than clients wait', () => {
    expect(pauseMilliseconds(1, limits.storeRetryWaitSecondsMax + 1)).toBe(null)
  })
})

describe('calls that fail', () => {
  const failing = (
    failure: { code?: 'unavailable' | 'rejected'; reason?: string; retryAfterSeconds?: number },
    failures: number,
  ) => {
    const seen: number[] = []
    const { code = 'unavailable', reason = 'SlowDown', retryAfterSeconds } = failure
    const attempt = async ({ number }: { number: number }) => {
      seen.push(number)
      if (number <= failures) throw new ObjectStoreError(code, 'get', reason, retryAfterSeconds)
      return 'found'
    }
    return { seen, attempt }
  }
  const always = Number.POSITIVE_INFINITY

  it('are repeated until they succeed', async () => {
    const { seen, attempt } = failing({}, 2)
    expect(await createRetries(noPace).run(patient, attempt)).toBe('found')
    expect(seen).toEqual([1, 2, 3])
  })

  it('are repeated no more than the limit says', async () => {
    const { seen, attempt } = failing({}, always)
    await expect(createRetries(noPace).run(patient, attempt)).rejects.toMatchObject({ reason: 'SlowDown' })
    expect(seen).toHaveLength(limits.storeAttemptsMax)
  })

  it('are not repeated where that cannot help', async () => {
    const { seen, attempt } = failing({ code: 'rejected' }, 1)
    await expect(createRetries(noPace).run(patient, attempt)).rejects.toMatchObject({ code: 'rejected' })
    expect(seen).toEqual([1])
  })

  it('are not repeated for a caller that has aborted', async () => {
    const { seen, attempt } = failing({}, 2)
    const reason = new Error('the client went away')
    const options = { ...patient, signal: AbortSignal.abort(reason) }
    await expect(createRetries(noPace).run(options, attempt)).rejects.toBe(reason)
    expect(seen).toEqual([1])
  })

  it('are not repeated if the store asks for a long pause, which the caller receives', async () => {
    const { seen, attempt } = failing({ retryAfterSeconds: 30 }, always)
    const failure = { reason: 'SlowDown', retryAfterSeconds: 30 }
    await expect(createRetries(noPace).run(patient, attempt)).rejects.toMatchObject(failure)
    expect(seen).toEqual([1])
  })

  it('are not repeated if the time for all tries would be over by then', async () => {
    const { seen, attempt } = failing({ retryAfterSeconds: 1 }, always)
    const options = { ...patient, deadlineSeconds: 0.9 }
    await expect(createRetries(noPace).run(options, attempt)).rejects.toMatchObject({ reason: 'SlowDown' })
    expect(seen).toEqual([1])
  })

  it('have one time for all tries together', async () => {
    const remaining: number[] = []
    const attempt = async (of: { remainingMilliseconds: number }) => {
      remaining.push(of.remainingMilliseconds)
      throw new ObjectStoreError('unavailable', 'get', 'ECONNRESET')
    }
    await createRetries(noPace)
      .run(patient, attempt)
      .catch(() => {})
    expect(remaining[0]).toBeLessThanOrEqual(30_000)
    expect(remaining[2]).toBeLessThan(remaining[1] ?? 0)
    expect(remaining[1]).toBeLessThan(remaining[0] ?? 0)
  })

  it('are repeated for a tenth of all calls only, once many have failed', async () => {
    const retries = createRetries(noPace)
    let tries = 0
    const attempt = async () => {
      tries += 1
      throw new ObjectStoreError('unavailable', 'get', 'ECONNRESET')
    }
    const calls = Array.from({ length: 500 }, () => retries.run(patient, attempt).catch(() => {}))
    await Promise.all(calls)
    const most = limits.storeRetriesAtOnceMax + 500 * limits.storeRetriesShareMax
    expect(tries - 500).toBeGreaterThanOrEqual(limits.storeRetriesAtOnceMax)
    expect(tries - 500).toBeLessThanOrEqual(most)
  })

  it('slow the pace down only if the store asks for that', async () => {
    const seen: string[] = []
    const pace = { succeeded: () => seen.push('succeeded'), slowedDown: () => seen.push('slowed') }
    const run = (attempt: () => Promise<unknown>) =>
      createRetries(pace)
        .run({ ...patient, triesMax: 1 }, attempt)
        .catch(() => {})
    const fail = (code: 'unavailable' | 'precondition_failed', reason: string) => () =>
      Promise.reject(new ObjectStoreError(code, 'put', reason))
    await run(fail('unavailable', 'SlowDown'))
    await run(fail('unavailable', 'Status429'))
    await run(fail('unavailable', 'ECONNREFUSED'))
    await run(fail('precondition_failed', 'PreconditionFailed'))
    await run(async () => 'found')
    expect(seen).toEqual(['slowed', 'slowed', 'succeeded', 'succeeded'])
  })
})
