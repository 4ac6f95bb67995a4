import type { Header, JsonSchema, Reference } from './types.ts'

/** Headers of every answer. */
export const commonHeaders: Record<string, Header> = {
  'X-Correlation-Id': {
    description: "The request's own X-Correlation-Id if it is well formed, otherwise a new one",
    required: true,
    schema: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$' },
  },
  traceparent: {
    description: 'W3C Trace Context: the trace of the request, continued by our span',
    required: true,
    schema: { type: 'string', pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$' },
  },
  'X-Content-Type-Options': { description: 'nosniff', required: true, schema: { const: 'nosniff' } },
  Date: {
    description: 'When the answer was made (RFC 9110 section 6.6.1); answers to HEAD have none',
    required: false,
    schema: { type: 'string' },
  },
}

/** Only where the size is known before the answer begins. */
const contentLength: Header = {
  description: 'Bytes of the body; not where it is streamed',
  required: false,
  schema: { type: 'integer', minimum: 0 },
}

/** `components.headers` */
export const headerComponents: Record<string, Header> = { ...commonHeaders, 'Content-Length': contentLength }

/** Forms of headers that only some answers have. Without a form here, the text of a route is the value. */
const forms: Record<string, JsonSchema> = {
  allow: { type: 'string', pattern: '^[A-Z]+(, [A-Z]+)*$' },
  'archive-size': { type: 'integer', minimum: 0 },
  'content-disposition': { type: 'string', pattern: '^attachment; filename=' },
  'content-length': { type: 'integer', minimum: 0 },
  'content-range': { type: 'string', pattern: '^bytes (\\d+-\\d+|\\*)/\\d+$' },
  'document-size': { type: 'integer', minimum: 0 },
  etag: { type: 'string', pattern: '^"[!#-~]+"$' },
  location: { type: 'string', format: 'uri-reference' },
  'repr-digest': { type: 'string', pattern: '^sha-256=:[A-Za-z0-9+/]{43}=:$' },
  'retry-after': { type: 'integer', minimum: 0 },
  'www-authenticate': { type: 'string', pattern: '^Bearer realm="' },
}

/**
 * Returns all headers of one answer. OpenAPI ignores a Content-Type among them (section 4.8.17.1): it is stated by the
 * keys of `content`.
 *
 * @param own text by name: what the header means, or its very value where the header is one of fixed values.
 */
export function describeHeaders(
  own: Readonly<Record<string, string>>,
  { bodiless = false } = {},
): Record<string, Header | Reference> {
  const described: Record<string, Header | Reference> = {}
  for (const [name, text] of Object.entries(own)) {
    if (name.toLowerCase() === 'content-type') continue
    const schema = forms[name.toLowerCase()] ?? { const: text }
    described[name] = { description: text, required: true, schema }
  }
  const shared = Object.keys(bodiless ? commonHeaders : headerComponents)
  for (const name of shared) described[name] ??= { $ref: `#/components/headers/${name}` }
  return described
}
