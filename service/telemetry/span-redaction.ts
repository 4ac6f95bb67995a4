import type { AttributeValue } from '@opentelemetry/api'
import type { Span, SpanProcessor } from '@opentelemetry/sdk-trace'
import { limits } from '../limits.ts'
import { isSafeText, isSecretField, redact, redactText } from './redaction.ts'
import { redacted } from './secret.ts'

/**
 * Redacts a span of any origin when it ends: its name, attributes, events and status. Code that sets attributes leaves
 * secrets out; this catches the unforeseen value, such as a caller's own token in a path.
 */
export const redactSpan: NonNullable<SpanProcessor['onEnding']> = (span: Span) => {
  if (isSafe(span)) return
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

/** True for most spans: one check of all texts together costs a third of checking each. */
function isSafe({ name, attributes, events, status }: Span): boolean {
  if (events.length > 0 || status.message !== undefined) return false
  let texts = name
  for (const key in attributes) {
    const value = attributes[key]
    if (typeof value === 'number' || typeof value === 'boolean') continue
    if (typeof value !== 'string' || isSecretName(key)) return false
    texts += `\n${value}`
  }
  return isSafeText(texts)
}

/** Returns `value` as it may be shown: a URL loses its query, because a signed one is a credential. */
function safeAttribute(name: string, value: AttributeValue | undefined): AttributeValue | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (isSecretName(name)) return redacted
  if (typeof value === 'string') return redactText(withoutQuery(value))
  if (Array.isArray(value)) return value.map((each) => safeAttribute(name, each) ?? null)
  return redact(value) as AttributeValue
}

const secretNames = new Map<string, boolean>()

/** Looks at the last word, as of `http.request.header.authorization`. Names are few, so the results are kept. */
function isSecretName(name: string): boolean {
  const known = secretNames.get(name)
  if (known !== undefined) return known
  const isSecret = name === 'url.query' || isSecretField(name.slice(name.lastIndexOf('.') + 1))
  if (secretNames.size < limits.spanNamesMax) secretNames.set(name, isSecret)
  return isSecret
}

function withoutQuery(text: string): string {
  return /^https?:\/\//i.test(text) ? text.replace(/[?#].*$/s, '') : text
}
