import { scopes } from '../../authz/principal.ts'
import { digestPattern } from '../../wire/names.ts'
import { type ProblemCode, problems } from '../../wire/problems.ts'
import type { Route } from '../route.ts'
import { describeHeaders } from './headers.ts'
import { exampleTraceId } from './schemas.ts'
import type { Answered, JsonSchema, Reference } from './types.ts'

/** Problems of every request, and of every one to the API: see `admission.ts` and `toProblem`. */
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
  'too_many_requests',
  'busy',
]

/** What a call cannot answer that takes no token. */
const ofToken: readonly ProblemCode[] = [
  'credentials_missing',
  'credentials_invalid',
  'scope_missing',
  'issuer_unavailable',
]

/** Problems of pages that need no token. */
export const publicProblems = ofEveryRequest

/** Returns every problem that a route can answer with: its own, and those of admission. */
export function problemsOf({
  body,
  problems: own,
  credential,
}: Pick<Route, 'body' | 'problems' | 'credential'>): ProblemCode[] {
  const ofCall = credential ? ofEveryCall.filter((code) => !ofToken.includes(code)) : ofEveryCall
  return [...new Set([...ofCall, ...problemsOfBody(body), ...own])]
}

function problemsOfBody(body: Route['body']): ProblemCode[] {
  if (body === 'none') return []
  const tooLarge = body === 'document' ? 'document_too_large' : 'body_too_large'
  return [tooLarge, 'media_type_unsupported', 'digest_invalid', 'digest_mismatch']
}

const integer = { type: 'integer', minimum: 0 }
const digest = { type: 'string', pattern: digestPattern }

/** Members that a problem has beyond those of all, by its code. Each may be left out. */
const members: Partial<Record<ProblemCode, Record<string, JsonSchema>>> = {
  document_not_found: {
    absent: {
      type: 'array',
      description: 'Of an archive: the versions that are missing',
      items: {
        type: 'object',
        properties: { type: { type: 'string' }, name: { type: 'string' }, digest },
        required: ['type', 'name', 'digest'],
        additionalProperties: false,
      },
    },
  },
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
  tags_exhausted: { tagsMax: { ...integer, description: 'How many are accepted, "latest" not counted' } },
  versions_exhausted: { versionsMax: { ...integer, description: 'How many can be sorted' } },
  document_too_large: { bytesMax: { ...integer, description: 'What is accepted' } },
  body_too_large: { bytesMax: { ...integer, description: 'What is accepted' } },
  version_tagged: { tags: { type: 'array', items: { type: 'string' }, description: 'Tags in the way' } },
  precondition_failed: {
    digest: { ...digest, description: 'Of an upload that was stored, although "latest" was not moved' },
  },
  range_unsatisfiable: { size: { ...integer, description: 'Bytes of the document' } },
  digest_mismatch: {
    declared: { ...digest, description: 'What the client said' },
    found: { ...digest, description: 'What the bytes hash to' },
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
  429: { 'Retry-After': 'Seconds' },
  503: { 'Retry-After': 'Seconds' },
}

/** Groups the codes by their status, ascending. */
function byStatus(codes: readonly ProblemCode[]): [status: number, codes: ProblemCode[]][] {
  const groups = Map.groupBy(codes, (code) => problems[code].status)
  return [...groups].sort(([a], [b]) => a - b)
}

/** Describes one answer for all problems of a status (RFC 9457), which differ by their `code`. */
function problemAnswer(status: number, codes: readonly ProblemCode[], problem: JsonSchema): Answered {
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

/** Collects problem answers, so that those which many operations share are described once. */
export interface ProblemAnswers {
  /** References by status, for `responses` of an operation. */
  describe(codes: readonly ProblemCode[]): Record<string, Reference>
  /** `components.responses`: what was referred to so far. */
  named(): Record<string, Answered>
}

/** @param problem schema of the members that every problem has. */
export function createProblemAnswers(problem: JsonSchema): ProblemAnswers {
  const components: Record<string, Answered> = {}
  return {
    describe(codes) {
      const references = byStatus(codes).map(([status, ofStatus]): [string, Reference] => {
        const name = [status, ...ofStatus.toSorted()].join('.')
        components[name] ??= problemAnswer(status, ofStatus, problem)
        return [String(status), { $ref: `#/components/responses/${name}` }]
      })
      return Object.fromEntries(references)
    },
    named: () => components,
  }
}
