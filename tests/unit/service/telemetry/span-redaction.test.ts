import { afterAll, beforeEach, describe, expect, it } from 'bun:test'
import { SpanStatusCode } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { registerSecret } from '../../../../service/telemetry/redaction.ts'
import { Secret } from '../../../../service/telemetry/secret.ts'
import { redactSpan } from '../../../../service/telemetry/span-redaction.ts'

const exporter = new InMemorySpanExporter()
const simple = new SimpleSpanProcessor({ exporter })
const processor: SpanProcessor = {
  onStart() {},
  onEnding: redactSpan,
  onEnd: (span) => simple.onEnd(span),
  forceFlush: () => simple.forceFlush(),
  shutdown: () => simple.shutdown(),
}
const provider = new TracerProvider({ spanProcessors: [processor] })
const tracer = provider.getTracer('test')

beforeEach(() => exporter.reset())
afterAll(() => provider.shutdown())

function ended() {
  const [span] = exporter.getFinishedSpans()
  return { name: span?.name, attributes: span?.attributes, events: span?.events, status: span?.status }
}

describe('a span that ends', () => {
  it('shows ordinary values as they are', () => {
    const attributes = {
      'http.route': '/v1/x',
      'http.response.status_code': 200,
      yes: true,
      list: ['a', 'b'],
    }
    tracer.startSpan('GET /v1/x', { attributes }).end()
    expect(ended()).toMatchObject({ name: 'GET /v1/x', attributes })
  })

  it('loses the query of every URL, signed or not', () => {
    const signed = 'https://store/bucket/key?X-Amz-Signature=canary#canary'
    const attributes = { 'url.full': signed, urls: [signed, 'plain'], 'url.query': 'X-Amz-Signature=canary' }
    tracer.startSpan('a', { attributes }).end()
    expect(ended().attributes).toEqual({
      'url.full': 'https://store/bucket/key',
      urls: ['https://store/bucket/key', 'plain'],
      'url.query': '[redacted]',
    })
  })

  it('loses credentials in any text, however deep they are encoded', () => {
    const undo = registerSecret(new Secret('canary-of-a-store-key'))
    const texts = {
      jws: 'eyJhbGciOiJIUzI1NiJ9.canary.canary',
      bearer: 'Bearer canarycanarycanary',
      registered: 'key canary-of-a-store-key',
      once: '/v1/tenants/x/documents/https%3A%2F%2Fs%2F%3FX-Amz-Signature%3Dcanary',
      twice: '/v1/x/X-Amz-Signature%253Dcanary',
    }
    tracer.startSpan('a', { attributes: texts }).end()
    undo()
    expect(JSON.stringify(ended())).not.toContain('canary')
    expect(ended().attributes?.once).toBe(
      '/v1/tenants/x/documents/https%3A%2F%2Fs%2F%3FX-Amz-Signature%3D[redacted]',
    )
  })

  it('loses the value of a name that says it is secret', () => {
    const attributes = {
      'http.request.header.authorization': ['canary'],
      ticket: 'canary',
      'a.cookie': 'canary',
    }
    tracer.startSpan('a', { attributes }).end()
    expect(ended().attributes).toEqual({
      'http.request.header.authorization': '[redacted]',
      ticket: '[redacted]',
      'a.cookie': '[redacted]',
    })
  })

  it('is redacted in its name, its events and its status too', () => {
    const secret = 'X-Amz-Signature=canary'
    const span = tracer.startSpan(`GET ${secret}`)
    span.addEvent('retry', { url: `https://store/key?${secret}`, ticket: 'canary', times: 2 })
    span.recordException(new Error(secret))
    span.setStatus({ code: SpanStatusCode.ERROR, message: secret })
    span.end()
    const { name, events, status } = ended()
    expect(JSON.stringify({ name, events, status })).not.toContain('canary')
    expect(events?.[0]?.attributes).toEqual({ url: 'https://store/key', ticket: '[redacted]', times: 2 })
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'X-Amz-Signature=[redacted]' })
  })

  it('is cut where a text is very long', () => {
    tracer.startSpan('a', { attributes: { long: 'x'.repeat(100_000) } }).end()
    expect(String(ended().attributes?.long).length).toBeLessThan(5000)
  })
})
