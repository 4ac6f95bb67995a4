import { describe, expect, it } from 'bun:test'
import { limits } from '../../service/limits.ts'
import { type Caller, callerOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { until } from '../support/waiting.ts'

/** What holds the reads of the bytes of `held`. */
let gate: PromiseWithResolvers<void> = Promise.withResolvers()

// Half of it for a lone tenant: one request at a time.
const { service, call } = await ownService({
  requestsMax: 2,
  decorate: (store) => ({
    ...store,
    async getWhole(key, options) {
      if (key.includes('/documents/definitions/held/')) await gate.promise
      return store.getWhole(key, options)
    },
  }),
})
const globex = await callerOf(service, await service.token({ tenants: ['globex'] }))

await put(call, 'definitions/held', 'bytes')

/** While tenant `acme` has as many requests under way as it may. */
async function whileHeld(work: () => Promise<void>): Promise<void> {
  gate = Promise.withResolvers()
  service.storeCalls.length = 0
  const held = call('definitions/held')
  // The record, and the bytes.
  await until(() => service.storeCalls.length === 2, 'the request that is held')
  service.storeCalls.length = 0
  try {
    await work()
  } finally {
    gate.resolve()
    expect(await (await held).text()).toBe('bytes')
  }
}

async function answerOf(caller: Caller, path: string, method = 'GET'): Promise<string> {
  const response = await caller(path, { method })
  const retryAfter = response.headers.get('retry-after')
  const refusal = await refusalOf(response)
  return retryAfter === null ? refusal : `${refusal}, Retry-After: ${retryAfter}`
}

describe('a tenant with as many requests under way as it may have', () => {
  it('is answered 429 with Retry-After, without a call to the store', () =>
    whileHeld(async () => {
      expect(await answerOf(call, 'definitions/other')).toBe('429 too_many_requests, Retry-After: 1')
      expect(service.storeCalls).toEqual([])
    }))

  it('finds one line of its refusals in audit and log, the number of the others, and none that says allowed', () =>
    whileHeld(async () => {
      // Those of the test before are counted by the second as well, and make refusals wait.
      await Bun.sleep(limits.requestCalmMilliseconds + 100)
      const before = service.logs().length
      await Promise.all(Array.from({ length: 5 }, () => answerOf(call, 'definitions/refused')))
      expect(await answerOf(call, 'definitions/refused', 'DELETE')).toBe('405 method_not_allowed')
      const lines = () => service.logs().slice(before)
      await until(() => lines().some(({ event }) => event === 'access.refused'), 'the count')
      const about = { tenant: 'acme', subject: 'alice' }
      const denied = {
        decision: 'denied',
        rule: 'too_many_requests',
        action: 'document.read',
        name: 'refused',
      }
      expect(lines()).toMatchObject([
        { event: 'access.decided', ...about, ...denied },
        { event: 'request.answered', status: 429, code: 'too_many_requests' },
        { event: 'request.answered', status: 405 },
        { event: 'access.refused', decision: 'denied', ...about, rules: { too_many_requests: 4 } },
      ])
    }))

  it('leaves other tenants, uploads and health checks alone', () =>
    whileHeld(async () => {
      const path = '/v1/tenants/globex/documents/definitions/other'
      expect(await answerOf(globex, path)).toBe('404 document_not_found')
      expect((await call('definitions/other', { method: 'PUT', body: 'bytes' })).status).toBe(201)
      expect((await call('/livez')).status).toBe(200)
      expect((await call('/readyz')).status).toBe(200)
    }))

  it('learns first what is wrong with token, tenant, scope, method, path and query', () =>
    whileHeld(async () => {
      const unknown = await callerOf(service, 'not-a-token')
      expect(await answerOf(unknown, 'definitions/a')).toBe('401 credentials_invalid')
      expect(await answerOf(globex, 'definitions/a')).toBe('404 document_not_found')
      const powerless = await callerOf(service, await service.token({ scope: '' }))
      expect(await answerOf(powerless, 'definitions/a')).toBe('403 scope_missing')
      expect(await answerOf(call, 'definitions/a', 'PATCH')).toBe('405 method_not_allowed')
      expect(await answerOf(call, 'definitions/.a')).toBe('422 request_invalid')
      expect(await answerOf(call, '?limit=0')).toBe('422 request_invalid')
    }))

  it('is served again as soon as one of them has ended', async () => {
    await whileHeld(async () => {})
    expect(await answerOf(call, 'definitions/none')).toBe('404 document_not_found')
  })
})
