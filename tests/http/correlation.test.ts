import { describe, expect, it } from 'bun:test'
import { callerOf, jsonOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parentId = '00f067aa0ba902b7'
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const { service, call } = await ownService()

async function echoed(headers: Record<string, string>, name: string): Promise<string> {
  const response = await call('definitions/absent', { headers })
  await response.body?.cancel()
  return response.headers.get(name) ?? 'absent'
}

describe('X-Correlation-Id', () => {
  it('is echoed and stands in every line of the log', async () => {
    expect(await echoed({ 'x-correlation-id': 'order-42:retry.1' }, 'x-correlation-id')).toBe(
      'order-42:retry.1',
    )
    const lines = service.logs().filter(({ correlationId }) => correlationId === 'order-42:retry.1')
    expect(lines.map(({ event }) => event)).toEqual(['access.decided', 'request.answered'])
  })

  it('is made if it is absent', async () => {
    expect(await echoed({}, 'x-correlation-id')).toMatch(uuid)
  })

  it('is replaced if it is empty, too long, or could forge a line', async () => {
    for (const id of ['', 'x'.repeat(129), 'a b', 'a"b', 'a,b', '{}', '<script>']) {
      expect([id, await echoed({ 'x-correlation-id': id }, 'x-correlation-id')]).toEqual([
        id,
        expect.stringMatching(uuid),
      ])
    }
  })

  it('stands on answers of every kind', async () => {
    const anyone = await callerOf(service, null)
    for (const path of ['/livez', '/absent', 'definitions/a']) {
      const response = await anyone(path, { headers: { 'x-correlation-id': 'mine' } })
      expect([path, response.headers.get('x-correlation-id')]).toEqual([path, 'mine'])
    }
  })
})

describe('traceparent', () => {
  it('is continued: the same trace, a span of our own, in the answer, the problem and the log', async () => {
    const headers = { traceparent: `00-${traceId}-${parentId}-01` }
    const response = await call('definitions/absent', { headers })
    const [version, trace, span, flags] = response.headers.get('traceparent')?.split('-') ?? []
    expect([version, trace, flags]).toEqual(['00', traceId, '01'])
    expect(span).toMatch(/^[0-9a-f]{16}$/)
    expect(span).not.toBe(parentId)
    expect((await jsonOf(response)).traceId).toBe(traceId)
    const lines = service.logs().filter((line) => line.traceId === traceId)
    expect(lines.map(({ event }) => event)).toEqual(['access.decided', 'request.answered'])
  })

  it('begins a trace if it is absent or invalid', async () => {
    for (const headers of [{}, { traceparent: `00-${traceId}-${parentId}-01-more` }]) {
      const answer = await echoed(headers, 'traceparent')
      expect(answer).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
      expect(answer).not.toContain(traceId)
    }
  })
})
