import { DocumentError } from '../documents/document-error.ts'
import { limits } from '../limits.ts'
import { type ProblemCode, problems } from '../wire/problems.ts'

/** Errors as the API answers them: RFC 9457 problem details with a stable `code`. */

/** What a problem has beyond its code and its sentence. */
export interface ProblemOptions {
  /** Further members of the problem document. */
  members?: Readonly<Record<string, unknown>>
  /** Headers of the answer. */
  headers?: Readonly<Record<string, string>>
  /** For the log alone. */
  cause?: unknown
}

/** An error that becomes the answer, wherever it is thrown while a request is answered. */
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
const retryAfterSeconds = 5

/** Returns the answer for a problem: RFC 9457 section 3, media type `application/problem+json`. */
export function problemResponse(problem: ProblemError, traceId: string): Response {
  const { status } = problems[problem.code]
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...retryHeaders(problem),
    ...problem.headers,
  }
  return new Response(JSON.stringify(detailsOf(problem, traceId)), { status, headers })
}

/**
 * Returns the problem of one item among others, as a member of their answer: the document that would be the answer if
 * this item were asked for alone. What its header `Retry-After` would say is the member `retryAfterSeconds`.
 */
export function itemDetails(problem: ProblemError, traceId: string): Record<string, unknown> {
  const retryAfter = { ...retryHeaders(problem), ...problem.headers }['retry-after']
  const retry = retryAfter === undefined ? {} : { retryAfterSeconds: Number(retryAfter) }
  return { ...detailsOf(problem, traceId), ...retry }
}

function detailsOf({ code, detail, members }: ProblemError, traceId: string): Record<string, unknown> {
  const { status, title } = problems[code]
  return { type: `urn:cloudlysis:problem:${code}`, title, status, detail, code, traceId, ...members }
}

function retryHeaders({ code }: ProblemError): Record<string, string> {
  return problems[code].status === 503 ? { 'retry-after': String(retryAfterSeconds) } : {}
}

/** Returns the problem of an address that does not exist. */
export function noSuchRoute(): ProblemError {
  return new ProblemError('route_not_found', 'There is no such address. See /docs for those that exist.')
}

/** Returns the problem of a method that the address does not know; it names those it knows (RFC 9110 section 15.5.6). */
export function methodNotAllowed(methods: readonly string[]): ProblemError {
  const allow = [...new Set(methods)].join(', ')
  return new ProblemError('method_not_allowed', `This address knows ${allow}.`, { headers: { allow } })
}

/**
 * Returns any error as a problem: the one place where errors of the domain get their HTTP form. Unknown errors reveal
 * no detail to the caller.
 */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (!(error instanceof DocumentError)) {
    return new ProblemError('internal_error', 'The request failed. Give the operator the trace id.', {
      cause: error,
    })
  }
  const { code, message, details } = error
  return new ProblemError(code, message, { members: details, headers: headersOf(error), cause: error })
}

function headersOf({ code, details, retryAfterSeconds }: DocumentError): Record<string, string> {
  if (code === 'range_unsatisfiable') return unsatisfiedRange(details)
  return retryAfterSeconds === undefined ? {} : retryAfter(retryAfterSeconds)
}

/** RFC 9110 section 10.2.3. Zero would make clients that obey it come back without a pause. */
function retryAfter(seconds: number): Record<string, string> {
  return { 'retry-after': String(Math.min(Math.max(seconds, 1), limits.retryAfterSecondsMax)) }
}

/** RFC 9110 section 14.4: a 416 names the current size. */
function unsatisfiedRange(details: Readonly<Record<string, unknown>>): Record<string, string> {
  return { 'content-range': `bytes */${details.size}` }
}
