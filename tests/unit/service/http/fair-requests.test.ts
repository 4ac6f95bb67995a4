import { describe, expect, it } from 'bun:test'
import { createFairRequests, type FairRequests } from '../../../../service/http/fair-requests.ts'
import { ProblemError } from '../../../../service/http/problem.ts'
import type { Route } from '../../../../service/http/route.ts'
import { limits } from '../../../../service/limits.ts'

const MiB = 1024 * 1024

const impatient = { waitSecondsMax: 0.01 }

/** As much of a route as is looked at. */
const get = { body: 'none' } as Route
const put = { body: 'document' } as Route
const complete = { body: { json: {} }, isLong: true } as Route

interface Asked {
  signal?: AbortSignal
  /** Default: in chunks. */
  size?: number
}

/** The function that ends the request, or the code with which it is refused. */
async function begin(
  requests: FairRequests,
  route: Route,
  tenant: string,
  { signal, size }: Asked = {},
): Promise<(() => void) | string> {
  const hasBody = route !== get
  const request = new Request('http://127.0.0.1/', {
    ...(hasBody ? { method: 'PUT', body: new ReadableStream() } : {}),
    headers: hasBody && size !== undefined ? { 'content-length': String(size) } : {},
    signal: signal ?? null,
  })
  try {
    return await requests.begin(route, { request, tenant })
  } catch (error) {
    if (error instanceof ProblemError) return `${error.code}, Retry-After: ${error.headers['retry-after']}`
    throw error
  }
}

/** Ends a request that was to begin. */
function end(begun: (() => void) | string | undefined): void {
  if (typeof begun !== 'function') throw new Error(`not begun: ${begun}`)
  begun()
}

/** How many requests begin that do not end. */
async function begun(
  requests: FairRequests,
  route: Route,
  tenant: string,
  asked: Asked & { of: number },
): Promise<number> {
  const all = await Promise.all(Array.from({ length: asked.of }, () => begin(requests, route, tenant, asked)))
  return all.filter((each) => typeof each === 'function').length
}

/** Requests of which tenant `a` has one under way, and one that has been waiting for longer than a burst. */
async function standing() {
  const requests = createFairRequests({ requestsMax: 2, waitSecondsMax: 60 })
  const first = await begin(requests, get, 'a')
  const gone = new AbortController()
  const early = begin(requests, get, 'a', { signal: gone.signal })
  await Bun.sleep(limits.requestBurstMilliseconds + 50)
  const leave = async () => {
    gone.abort(new Error('the test is over'))
    await early.catch(() => undefined)
  }
  return { requests, first, early, leave }
}

describe('requests under way', () => {
  it('are at most half of all for a lone tenant, and further ones are 429 with Retry-After', async () => {
    const requests = createFairRequests({ requestsMax: 8, ...impatient })
    expect(await begun(requests, get, 'a', { of: 10 })).toBe(4)
    expect(await begin(requests, get, 'a')).toBe('too_many_requests, Retry-After: 1')
  })

  it('begin at once for a tenant that has none, however many another one has and waits for', async () => {
    const requests = createFairRequests({ requestsMax: 16, ...impatient })
    const flood = Array.from({ length: 100 }, () => begin(requests, get, 'a'))
    // Each of these would have to wait for one of the others if it did not begin at once.
    for (let round = 0; round < 4; round += 1)
      expect(typeof (await begin(requests, get, 'b'))).toBe('function')
    expect((await Promise.all(flood)).filter((each) => typeof each === 'function')).toHaveLength(8)
  })

  it('are 503 for a tenant within its share if all tenants together have too many', async () => {
    const requests = createFairRequests({ requestsMax: 4, ...impatient })
    const tenants = ['a', 'b', 'c', 'd']
    for (const tenant of tenants) await begun(requests, get, tenant, { of: 3 })
    expect(await begin(requests, get, 'e')).toBe('busy, Retry-After: 1')
  })

  it('wait for a burst to end', async () => {
    const requests = createFairRequests({ requestsMax: 2 })
    const first = await begin(requests, get, 'a')
    const others = [begin(requests, get, 'a'), begin(requests, get, 'a')]
    end(first)
    end(await others[0])
    end(await others[1])
  })

  it('are refused soon where the line of their tenant never becomes empty', async () => {
    const { requests, early, leave } = await standing()
    expect(await begin(requests, get, 'a')).toBe('too_many_requests, Retry-After: 1')
    expect(await Promise.race([early, 'still waiting'])).toBe('still waiting')
    await leave()
  })

  it('are refused soon also where that line became empty a moment ago, so the next burst waits for calm', async () => {
    const { requests, first, early, leave } = await standing()
    end(first)
    end(await early)
    const again = await begin(requests, get, 'a')
    const after = await Promise.race([begin(requests, get, 'a'), Bun.sleep(2000)])
    expect(after).toBe('too_many_requests, Retry-After: 1')
    await Bun.sleep(limits.requestCalmMilliseconds + 50)
    const burst = begin(requests, get, 'a')
    await Bun.sleep(limits.refusalHeldSeconds * 1000 + 100)
    end(again)
    end(await burst)
    await leave()
  })

  it('are refused late under such a load, and nothing waits for those whose client disconnects', async () => {
    const { requests, leave } = await standing()
    const gone = new AbortController()
    const left = begin(requests, get, 'a', { signal: gone.signal })
    const stays = begin(requests, get, 'a')
    const soon = Bun.sleep(limits.requestStandingWaitSecondsMax * 1000 + 100).then(() => 'held')
    expect(await Promise.race([left, stays, soon])).toBe('held')
    gone.abort(new Error('disconnected'))
    await expect(left).rejects.toThrow('disconnected')
    expect(await stays).toBe('too_many_requests, Retry-After: 1')
    await leave()
  })

  it('stop waiting when their client disconnects', async () => {
    const requests = createFairRequests({ requestsMax: 2 })
    const first = await begin(requests, get, 'a')
    const gone = new AbortController()
    const waiting = begin(requests, get, 'a', { signal: gone.signal })
    gone.abort(new Error('disconnected'))
    await expect(waiting).rejects.toThrow('disconnected')
    end(first)
    end(await begin(requests, get, 'a'))
  })
})

describe('uploads under way', () => {
  it('take no place of other requests, and completions are counted with them', async () => {
    const requests = createFairRequests({ requestsMax: 2, ...impatient })
    const small = limits.uploadsBytesMax / limits.uploadBytesMin / 2
    expect(await begun(requests, put, 'a', { of: small + 1, size: 5 })).toBe(small)
    expect(await begin(requests, complete, 'a')).toBe('too_many_requests, Retry-After: 1')
    expect(typeof (await begin(requests, get, 'a'))).toBe('function')
  })

  it('count by the memory that their unread bodies may take', async () => {
    const requests = createFairRequests({ requestsMax: 2, uploadsBytesMax: 16 * MiB })
    // A length that is not known is as much as any.
    expect(await begun(requests, put, 'a', { of: 20 })).toBe(8)
    expect(await begun(requests, put, 'b', { of: 20, size: 5 * 1024 * MiB })).toBe(4)
    expect(typeof (await begin(requests, put, 'c', { size: 5 }))).toBe('function')
  })

  it('are refused at once if they are large, since they take their memory while they wait', async () => {
    const requests = createFairRequests({ requestsMax: 2, uploadsBytesMax: 2 * MiB })
    const first = await begin(requests, put, 'a', { size: MiB })
    const second = begin(requests, put, 'a', { size: MiB })
    expect(await second).toBe('too_many_requests, Retry-After: 1')
    end(first)
    end(await begin(requests, put, 'a', { size: MiB }))
  })

  it('may be larger than all together if there is no other one', async () => {
    const requests = createFairRequests({ requestsMax: 2, uploadsBytesMax: limits.uploadBytesMin })
    end(await begin(requests, put, 'a', { size: MiB }))
  })
})
