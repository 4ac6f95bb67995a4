import type { AttributeValue } from '@opentelemetry/api'
import type { Span, SpanProcessor } from '@opentelemetry/sdk-trace'
import { isSecretField, redact, redactText } from './redaction.ts'
import { redacted } from './secret.ts'

/**
 * Scrubs a span when it ends, whoever made it: its name, attributes, events and status. What puts values into
 * spans leaves secrets out by itself; this is for the value that nobody thought of, such as a caller's own
 * token in a path.
 */
export const redactSpan: NonNullable<SpanProcessor['onEnding']> = (span: Span) => {
  const name = redactText(span.name)
  if (name !== span.name) span.updateName(name)
  for (const [key, value] of Object.entries(span.attributes)) {
    const safe = safeAttribute(key, value)
    if (safe !== value) span.setAttribute(key, safe)
  }
  const { code, message } = span.status
  if (message !== undefined) span.setStatus({ code, message: redactText(message) })
  for (const event of span.events) {
    const attributes = Object.entries(event.attributes ?? {})
    event.attributes = Object.fromEntries(attributes.map(([key, value]) => [key, safeAttribute(key, value)]))
  }
}

/** `value` as it may be shown: a URL loses its query, for a signed one is a credential. */
function safeAttribute(name: string, value: AttributeValue | undefined): AttributeValue | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (isSecretField(lastWord(name)) || name === 'url.query') return redacted
  if (typeof value === 'string') return redactText(withoutQuery(value))
  if (Array.isArray(value)) return value.map((each) => safeAttribute(name, each) ?? null)
  return redact(value) as AttributeValue
}

/** Of `http.request.header.authorization`, what the name is about. */
function lastWord(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function withoutQuery(text: string): string {
  return /^https?:\/\//i.test(text) ? text.replace(/[?#].*$/s, '') : text
}
