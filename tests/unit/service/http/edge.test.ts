import { describe, expect, it } from 'bun:test'
import { Elysia } from 'elysia'
import { createEdge } from '../../../../service/http/edge.ts'
import { createLogger } from '../../../../service/telemetry/logger.ts'
import { noMetrics } from '../../../../service/telemetry/service-metrics.ts'
import { type AnsweredRequest, idsAlone } from '../../../../service/telemetry/traced-request.ts'

/** An app whose handling of errors fails as well, with everything that the edge reports. */
function brokenApp() {
  const lines: Record<string, unknown>[] = []
  const spans: AnsweredRequest[] = []
  let active = 0
  const edge = createEdge({
    trustedProxies: [],
    logger: createLogger({
      level: 'info',
      service: 'documents',
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
    spans: {
      begin: (request) => ({ ...idsAlone.begin(request), end: (answered) => void spans.push(answered) }),
    },
    metrics: {
      ...noMetrics,
      requestBegan() {
        active += 1
      },
      requestAnswered() {
        active -= 1
      },
    },
  })
  const app = new Elysia().onError(() => {
    throw new Error('the error could not be answered')
  })
  edge.surround(app)
  app.get('/broken', () => {
    throw new Error('broken')
  })
  return { app, lines, spans, active: () => active }
}

describe('the edge', () => {
  it('answers and reports a request whose errors cannot be answered by the app', async () => {
    const { app, lines, spans, active } = brokenApp()
    const request = new Request('http://localhost/broken', { headers: { 'x-correlation-id': 'mine' } })
    const response = await app.fetch(request)
    expect(response.status).toBe(500)
    expect(response.headers.get('x-correlation-id')).toBe('mine')
    expect(await response.json()).toMatchObject({ code: 'internal_error' })
    expect(lines.map(({ event, correlationId }) => [event, correlationId])).toEqual([
      ['request.failed', 'mine'],
      ['request.answered', 'mine'],
    ])
    expect(spans).toMatchObject([{ status: 500, problem: 'internal_error', correlationId: 'mine' }])
    expect(active()).toBe(0)
  })
})
