import { describe, expect, it } from 'bun:test'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import { withSpan } from '../../../../service/telemetry/tracing.ts'
import { recordedSpans } from '../../../support/recorded-spans.ts'

const { exporter, tracer } = recordedSpans()

describe('withSpan', () => {
  it('returns the result of the work, inside a span', async () => {
    const result = await withSpan(tracer, 'sweep', async (span) => {
      span.setAttribute('removed', 2)
      return 7
    })
    expect(result).toBe(7)
    const [span] = exporter.getFinishedSpans()
    expect(span?.name).toBe('sweep')
    expect(span?.attributes).toEqual({ removed: 2 })
    expect(span?.status.code).toBe(SpanStatusCode.UNSET)
  })

  it('makes spans inside it its children', async () => {
    await withSpan(tracer, 'outer', () => withSpan(tracer, 'inner', async () => {}))
    const [inner, outer] = exporter.getFinishedSpans()
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId)
  })

  it('marks the span and passes the failure on, without secrets in its message', async () => {
    const failure = new Error('GET https://store/key?X-Amz-Signature=canary failed')
    await expect(withSpan(tracer, 'sweep', () => Promise.reject(failure))).rejects.toBe(failure)
    const [span] = exporter.getFinishedSpans()
    const message = 'GET https://store/key?X-Amz-Signature=[redacted] failed'
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message })
    expect(span?.events[0]?.attributes).toMatchObject({ 'exception.message': message })
  })

  it('does the work without a recorder', async () => {
    expect(await withSpan(trace.getTracer('unrecorded'), 'sweep', async () => 7)).toBe(7)
  })
})
