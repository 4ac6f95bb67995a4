import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { flood, quantile } from '../support/faults/flood.ts'
import { recordFigure } from '../support/figures.ts'
import { callerOf, put } from '../support/service/caller.ts'
import { loadOf } from '../support/service/process-load.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import { sizeOf } from '../support/sizes.ts'

setDefaultTimeout(600_000)

const requestsMax = sizeOf({ test: 16, long: 256, of: 'requests that may be under way' })
const isLong = requestsMax === 256
/** What one tenant may have of them. */
const capacity = requestsMax / 2
const seconds = isLong ? 60 : 3

let service: SpawnedService
let acme: string
let globex: string

beforeAll(async () => {
  service = await serviceInChild({ env: { REQUESTS_MAX: String(requestsMax) } })
  acme = await service.token()
  globex = await service.token({ tenants: ['globex'] })
  await put(await callerOf(service, acme), pathFor('acme'), 'x'.repeat(4096))
  await put(await callerOf(service, globex), pathFor('globex'), 'x')
})
afterAll(() => service.stop())

function pathFor(tenant: string): string {
  return `/v1/tenants/${tenant}/documents/definitions/read`
}

/** The answers to clients of `acme`, and to one of `globex` at the same time. */
async function flooded(clients: number) {
  // Clients that come back ten times as soon as they are asked to.
  const shared = { url: service.url, seconds, pauseMilliseconds: 100 }
  const [many, one] = await Promise.all([
    flood({ ...shared, path: () => pathFor('acme'), token: acme, clients }),
    flood({ ...shared, path: () => pathFor('globex'), token: globex, clients: 1 }),
  ])
  return { many, one }
}

describe('ten times as many requests of one tenant as it may have under way', () => {
  it('are answered or refused with Retry-After, while another tenant and health checks are served, within 256 MiB', async () => {
    const { many: expected } = await flooded(capacity)
    expect(Object.keys(expected.answers)).toEqual(['200'])
    let memoryMiB = 0
    const health = new Set<number>()
    const looking = setInterval(async () => {
      memoryMiB = Math.max(memoryMiB, loadOf(service.process.pid).memoryMiB)
      for (const path of ['/livez', '/readyz']) health.add((await fetch(`${service.url}${path}`)).status)
    }, 500)
    const { many, one } = await flooded(10 * capacity)
    clearInterval(looking)
    expect(Object.keys(many.answers).sort()).toEqual(['200', '429, Retry-After: 1'])
    expect(Object.keys(one.answers)).toEqual(['200'])
    expect([...health]).toEqual([200])
    expect(memoryMiB).toBeLessThan(256)
    if (isLong) {
      const p99 = { unit: 'ms', of: (all: readonly number[]) => Math.round(quantile(all, 0.99)) }
      const figure = (name: string, value: number, unit: string) =>
        recordFigure('overload', { name, value, unit })
      figure('p99 of requests at capacity', p99.of(expected.milliseconds), p99.unit)
      figure('p99 of accepted requests at ten times the capacity', p99.of(many.milliseconds), p99.unit)
      figure('p99 of another tenant meanwhile', p99.of(one.milliseconds), p99.unit)
      figure('resident memory', memoryMiB, 'MiB')
    }
  })
})
