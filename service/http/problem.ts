/** Errors as they go over the wire: RFC 9457 problem details with a stable `code`. */
import { type ProblemCode, problems } from '../wire/problems.ts'

export interface ProblemOptions {
  /** Further members of the problem document. */
  members?: Readonly<Record<string, unknown>>
  /** Headers of the answer. */
  headers?: Readonly<Record<string, string>>
  /** For the log alone. */
  cause?: unknown
}

/** Thrown anywhere below the edge: becomes the answer. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly members: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    readonly code: ProblemCode,
    /** One sentence for the caller: what is wrong and what to do. */
    readonly detail: string,
    { members = {}, headers = {}, cause }: ProblemOptions = {},
  ) {
    super(`${code}: ${detail}`, { cause })
    this.members = members
    this.headers = headers
  }
}

/** Seconds after which a 503 is worth another try. */
const retryAfterSeconds = '5'

/** The answer for a problem: RFC 9457 section 3, media type `application/problem+json`. */
export function problemResponse(problem: ProblemError, traceId: string): Response {
  const { status, title } = problems[problem.code]
  const body = {
    type: `urn:cloudlysis:problem:${problem.code}`,
    title,
    status,
    detail: problem.detail,
    code: problem.code,
    traceId,
    ...problem.members,
  }
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(status === 503 ? { 'retry-after': retryAfterSeconds } : {}),
    ...problem.headers,
  }
  return new Response(JSON.stringify(body), { status, headers })
}

export function noSuchRoute(): ProblemError {
  return new ProblemError('route_not_found', 'There is no such address. See /docs for those that exist.')
}

/** RFC 9110 section 15.5.6: the answer names the methods that the address knows. */
export function methodNotAllowed(methods: readonly string[]): ProblemError {
  const allow = [...new Set(methods)].join(', ')
  return new ProblemError('method_not_allowed', `This address knows ${allow}.`, { headers: { allow } })
}
