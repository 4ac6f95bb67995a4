import { describe, expect, it } from 'bun:test'
import { type SpanContext, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AlwaysOffSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { createRequestSpans } from '../../../../service/telemetry/request-spans.ts'
import type { AnsweredRequest, IncomingRequest } from '../../../../service/telemetry/traced-request.ts'
import { recordedSpans } from '../../../support/recorded-spans.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const callerSpanId = '00f067aa0ba902b7'
const sampled = `00-${traceId}-${callerSpanId}-01`
const unsampled = `00-${traceId}-${callerSpanId}-00`
const route = '/v1/tenants/:tenant/documents'

const { exporter, tracer } = recordedSpans()
const spans = createRequestSpans(tracer)

function incoming(changes: Partial<IncomingRequest> = {}): IncomingRequest {
  return { method: 'GET', traceparent: null, untraced: false, ...changes }
}

function answered(changes: Partial<AnsweredRequest> = {}): AnsweredRequest {
  return {
    route,
    status: 200,
    problem: undefined,
    url: new URL('http://docs.example:8080/v1/tenants/acme/documents?cursor=canary'),
    clientAddress: '192.0.2.7',
    correlationId: 'order-42',
    about: {},
    ...changes,
  }
}

/** The span that is active inside of a request. */
function activeIn(run: (work: () => Promise<SpanContext | undefined>) => Promise<SpanContext | undefined>) {
  return run(async () => {
    await Bun.sleep(0)
    return trace.getActiveSpan()?.spanContext()
  })
}

function recorded() {
  return exporter.getFinishedSpans().map(({ name, kind, status, attributes }) => ({
    ...{ name, kind, status, attributes },
  }))
}

describe('the span of a request', () => {
  it('says what was asked and answered, in the words of the semantic conventions, without the query', () => {
    const about = { tenant: 'acme', type: 'bundles', name: 'a.tgz', digest: 'sha256:00', tag: 'latest' }
    spans.begin(incoming()).end(answered({ about }))
    expect(recorded()).toEqual([
      {
        name: `GET ${route}`,
        kind: SpanKind.SERVER,
        status: { code: SpanStatusCode.UNSET },
        attributes: {
          'http.request.method': 'GET',
          'http.route': route,
          'http.response.status_code': 200,
          'url.scheme': 'http',
          'url.path': '/v1/tenants/acme/documents',
          'server.address': 'docs.example',
          'server.port': 8080,
          'client.address': '192.0.2.7',
          'cloudlysis.correlation_id': 'order-42',
          'cloudlysis.tenant': 'acme',
          'cloudlysis.document.type': 'bundles',
          'cloudlysis.document.name': 'a.tgz',
          'cloudlysis.document.digest': 'sha256:00',
          'cloudlysis.document.tag': 'latest',
        },
      },
    ])
  })

  it('continues the trace of the caller, and is what the service echoes and logs', () => {
    const span = spans.begin(incoming({ traceparent: sampled }))
    span.end(answered())
    const [found] = exporter.getFinishedSpans()
    expect(found?.spanContext()).toMatchObject({ traceId, spanId: span.trace.spanId })
    expect(found?.parentSpanContext).toMatchObject({ traceId, spanId: callerSpanId, isRemote: true })
    expect(span.trace).toEqual({
      traceId,
      spanId: span.trace.spanId,
      parentSpanId: callerSpanId,
      sampled: true,
    })
    expect(span.trace.spanId).not.toBe(callerSpanId)
  })

  it('begins a trace without a caller, or with one that breaks the grammar', () => {
    const ids = [null, 'x', `${sampled}-more`].map((traceparent) => {
      const span = spans.begin(incoming({ traceparent }))
      span.end(answered())
      return span.trace
    })
    const found = exporter.getFinishedSpans().map((span) => span.spanContext().traceId)
    expect(found).toEqual(ids.map((each) => each.traceId))
    expect(new Set(found).size).toBe(3)
    expect(found).not.toContain(traceId)
    expect(ids.map((each) => each.parentSpanId)).toEqual([undefined, undefined, undefined])
  })

  it('is active only in what runs for the request', async () => {
    const span = spans.begin(incoming())
    const inside = await activeIn(span.run)
    expect(inside).toMatchObject({ traceId: span.trace.traceId, spanId: span.trace.spanId })
    expect(trace.getActiveSpan()).toBeUndefined()
  })

  it('is an error where the service failed, and none where the client was wrong', () => {
    spans.begin(incoming()).end(answered({ status: 503, problem: 'store_unavailable' }))
    spans.begin(incoming()).end(answered({ status: 500 }))
    spans.begin(incoming()).end(answered({ status: 404, problem: 'document_not_found' }))
    expect(recorded()).toMatchObject([
      {
        status: { code: SpanStatusCode.ERROR },
        attributes: { 'error.type': 'store_unavailable', 'cloudlysis.problem': 'store_unavailable' },
      },
      { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': '500' } },
      { status: { code: SpanStatusCode.UNSET }, attributes: { 'cloudlysis.problem': 'document_not_found' } },
    ])
    expect(recorded()[2]?.attributes).not.toHaveProperty('error.type')
  })

  it('has a name of a fixed set, whatever method and address a caller makes up', () => {
    spans.begin(incoming({ method: 'BREW' })).end(answered({ route: undefined, status: 404, url: null }))
    expect(recorded()).toMatchObject([
      {
        name: 'HTTP',
        attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' },
      },
    ])
    expect(recorded()[0]?.attributes).not.toHaveProperty('http.route')
  })
})

describe('a request that is not recorded', () => {
  it('still has its own ids, active in what runs for it', async () => {
    const span = spans.begin(incoming({ traceparent: unsampled }))
    expect(span.trace).toEqual({
      traceId,
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      parentSpanId: callerSpanId,
      sampled: false,
    })
    expect(await activeIn(span.run)).toMatchObject({ traceId, spanId: span.trace.spanId })
    span.end(answered())
    expect(exporter.getFinishedSpans()).toEqual([])
  })

  it('is one that the sampler drops', () => {
    const off = new TracerProvider({ sampler: new AlwaysOffSampler() }).getTracer('off')
    const { trace: ids } = createRequestSpans(off).begin(incoming())
    expect(ids.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(ids.sampled).toBe(false)
  })

  it('is a health check, with nothing below it recorded either', async () => {
    const span = spans.begin(incoming({ traceparent: sampled, untraced: true }))
    await span.run(async () => tracer.startSpan('S3 HeadBucket').end())
    span.end(answered({ route: '/readyz' }))
    expect(exporter.getFinishedSpans()).toEqual([])
    expect(span.trace.traceId).toBe(traceId)
  })

  it('is any where only logs are exported: these carry the ids', async () => {
    const span = createRequestSpans(null).begin(incoming({ traceparent: sampled }))
    expect(await activeIn(span.run)).toMatchObject({ traceId, spanId: span.trace.spanId })
    expect(span.trace.sampled).toBe(true)
    span.end(answered())
  })
})
