import { type Attributes, type Span, SpanStatusCode, trace } from '@opentelemetry/api'
import { describeError, redactText } from './redaction.ts'

const tracerName = 'cloudlysis-documents'

export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * Runs `work` inside a span named `name` and ends the span with it; a failure marks the span and is passed on.
 * Text attributes are scrubbed, and a URL loses its query: a signed URL is a credential. Without an
 * OpenTelemetry SDK in the process the span is a no-op.
 */
export async function withSpan<T>(
  name: string,
  attributes: SpanAttributes,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const options = { attributes: safeAttributes(attributes) }
  return trace.getTracer(tracerName).startActiveSpan(name, options, async (span) => {
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

function safeAttributes(attributes: SpanAttributes): Attributes {
  const entries = Object.entries(attributes)
    .filter(([name, value]) => value !== undefined && name !== 'url.query')
    .map(([name, value]) => [name, typeof value === 'string' ? redactText(withoutQuery(value)) : value])
  return Object.fromEntries(entries)
}

function withoutQuery(text: string): string {
  return /^https?:\/\//i.test(text) ? text.replace(/[?#].*$/s, '') : text
}
