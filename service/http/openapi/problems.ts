import { scopes } from '../../authz/principal.ts'
import { digestPattern } from '../../wire/names.ts'
import { type ProblemCode, problems } from '../../wire/problems.ts'
import type { Route } from '../route.ts'
import { exampleTraceId } from './examples.ts'
import { describeHeaders } from './headers.ts'
import type { Answered, JsonSchema } from './types.ts'

/** What can become of every request, and of every one to the API: see `edge.ts` and `error-mapping.ts`. */
const ofEveryRequest: readonly ProblemCode[] = ['host_invalid', 'internal_error']
const ofEveryCall: readonly ProblemCode[] = [
  ...ofEveryRequest,
  'credentials_missing',
  'credentials_invalid',
  'scope_missing',
  'document_not_found',
  'request_invalid',
  'store_refused',
  'store_unavailable',
  'issuer_unavailable',
]

/** Of pages that anyone may read. */
export const publicProblems = ofEveryRequest

/** Every problem that a route can answer with: its own, and those that come before it is asked. */
export function problemsOf({ body, problems: own }: Pick<Route, 'body' | 'problems'>): ProblemCode[] {
  return [...new Set([...ofEveryCall, ...problemsOfBody(body), ...own])]
}

function problemsOfBody(body: Route['body']): ProblemCode[] {
  if (body === 'none') return []
  return [body === 'document' ? 'document_too_large' : 'body_too_large', 'media_type_unsupported']
}

const integer = { type: 'integer', minimum: 0 }
const digest = { type: 'string', pattern: digestPattern }

/** Members that a problem has beyond those of all, by its code. Each may be left out. */
const members: Partial<Record<ProblemCode, Record<string, JsonSchema>>> = {
  scope_missing: { scope: { enum: scopes, description: 'The scope that is needed' } },
  request_invalid: {
    errors: {
      type: 'array',
      description: 'Everything that has the wrong form',
      items: {
        type: 'object',
        properties: {
          in: { enum: ['path', 'query', 'body'] },
          pointer: { type: 'string', description: 'JSON pointer (RFC 6901)' },
          message: { type: 'string' },
        },
        required: ['in', 'pointer', 'message'],
        additionalProperties: false,
      },
    },
  },
  document_too_large: { bytesMax: { ...integer, description: 'What is accepted' } },
  body_too_large: { bytesMax: { ...integer, description: 'What is accepted' } },
  version_tagged: { tags: { type: 'array', items: { type: 'string' }, description: 'Tags in the way' } },
  range_unsatisfiable: { size: { ...integer, description: 'Bytes of the document' } },
  digest_mismatch: {
    declared: { ...digest, description: 'What the client said' },
    found: { ...digest, description: 'What the bytes hash to' },
    size: { ...integer, description: 'Bytes that this digest has' },
    declaredSize: { ...integer, description: 'Bytes that the ticket is for' },
    foundSize: { ...integer, description: 'Bytes that were uploaded' },
  },
}

/** Headers of a problem beyond those of all, by its status. */
const headersByStatus: Record<number, Record<string, string>> = {
  401: { 'WWW-Authenticate': 'How to authenticate (RFC 6750 section 3)' },
  403: { 'WWW-Authenticate': 'Which scope is needed (RFC 6750 section 3)' },
  405: { Allow: 'Methods that the address knows' },
  416: { 'Content-Range': 'bytes */ and the size of the document' },
  503: { 'Retry-After': 'Seconds' },
}

/** @returns the codes by their status, ascending. */
export function byStatus(codes: readonly ProblemCode[]): [status: number, codes: ProblemCode[]][] {
  const groups = Map.groupBy(codes, (code) => problems[code].status)
  return [...groups].sort(([a], [b]) => a - b)
}

/** One answer for all problems of a status (RFC 9457), which name themselves by `code`. */
export function problemAnswer(status: number, codes: readonly ProblemCode[], problem: JsonSchema): Answered {
  const properties = {
    status: { const: status },
    code: { enum: codes },
    ...Object.assign({}, ...codes.map((code) => members[code])),
  }
  const examples = codes.map((code) => [code, { summary: problems[code].title, value: exampleOf(code) }])
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join('; '),
    headers: describeHeaders({ 'Cache-Control': 'no-store', ...headersByStatus[status] }),
    content: {
      'application/problem+json': {
        schema: { allOf: [problem, { type: 'object', properties }] },
        examples: Object.fromEntries(examples),
      },
    },
  }
}

function exampleOf(code: ProblemCode): Record<string, unknown> {
  const { status, title } = problems[code]
  const type = `urn:cloudlysis:problem:${code}`
  return { type, title, status, detail: 'What is wrong here, and what to do.', code, traceId: exampleTraceId }
}
