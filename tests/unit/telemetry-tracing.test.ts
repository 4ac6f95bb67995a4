import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'bun:test'
import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { withSpan } from '../../service/telemetry/tracing.ts'

const exporter = new InMemorySpanExporter()

beforeAll(() => {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  )
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
})

beforeEach(() => exporter.reset())

afterAll(() => {
  trace.disable()
  context.disable()
})

describe('withSpan', () => {
  it('gives back what the work gave, inside a span with its attributes', async () => {
    const result = await withSpan(
      'document.read',
      { tenant: 'acme', digest: 'sha256:00', none: undefined },
      async () => 7,
    )
    expect(result).toBe(7)
    const [span] = exporter.getFinishedSpans()
    expect(span?.name).toBe('document.read')
    expect(span?.attributes).toEqual({ tenant: 'acme', digest: 'sha256:00' })
    expect(span?.status.code).toBe(SpanStatusCode.UNSET)
  })

  it('makes spans inside it its children', async () => {
    await withSpan('outer', {}, () => withSpan('inner', {}, async () => {}))
    const [inner, outer] = exporter.getFinishedSpans()
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId)
  })

  it('marks the span and passes the failure on', async () => {
    const failure = new Error('no luck')
    await expect(withSpan('document.put', {}, () => Promise.reject(failure))).rejects.toBe(failure)
    const [span] = exporter.getFinishedSpans()
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no luck' })
    expect(span?.events[0]?.attributes).toMatchObject({ 'exception.message': 'no luck' })
  })

  it('records neither the query of a URL nor a secret in an attribute or a failure', async () => {
    const url = 'https://store/bucket/key?X-Amz-Signature=canary'
    const work = () => Promise.reject(new Error(`GET ${url} failed`))
    const attributes = {
      'url.full': url,
      'url.query': 'X-Amz-Signature=canary',
      note: 'Bearer canarycanarycanary',
    }
    await withSpan('download.create', attributes, work).catch(() => {})
    const [span] = exporter.getFinishedSpans()
    expect(JSON.stringify([span?.attributes, span?.events, span?.status])).not.toContain('canary')
    expect(span?.attributes['url.full']).toBe('https://store/bucket/key')
  })
})
