import { type Span, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import { describeError } from './redaction.ts'

/**
 * Runs `work` inside a span named `name` and ends the span with it; a failure marks the span and is rethrown.
 * Without an SDK in the process, the span of the tracer of `@opentelemetry/api` is a no-op.
 */
export async function withSpan<T>(
  tracer: Tracer,
  name: string,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  return tracer.startActiveSpan(name, async (span) => {
    try {
      return await work(span)
    } catch (error) {
      fail(span, error)
      throw error
    } finally {
      span.end()
    }
  })
}

function fail(span: Span, error: unknown): void {
  const { name, message } = describeError(error)
  span.recordException({ name, message })
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}
