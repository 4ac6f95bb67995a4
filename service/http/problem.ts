/** Errors as they go over the wire: RFC 9457 problem details with a stable `code`. */

/** Everything that can be wrong at this API: the status, and what it is called. */
export const problems = {
  credentials_missing: { status: 401, title: 'A bearer token is needed' },
  credentials_invalid: { status: 401, title: 'The bearer token is not accepted' },
  scope_missing: { status: 403, title: 'The token lacks a scope' },
  document_not_found: { status: 404, title: 'There is no such document' },
  route_not_found: { status: 404, title: 'There is no such address' },
  method_not_allowed: { status: 405, title: 'The address does not know this method' },
  version_tagged: { status: 409, title: 'The version is tagged' },
  version_locked: { status: 409, title: 'The version is locked' },
  tag_protected: { status: 409, title: 'The tag cannot be removed' },
  conflict: { status: 409, title: 'Something else happened at the same time' },
  upload_not_found: { status: 404, title: 'Nothing was uploaded with this ticket' },
  upload_changed: { status: 409, title: 'The staged bytes changed' },
  upload_expired: { status: 410, title: 'The ticket is too old' },
  ticket_invalid: { status: 422, title: 'The ticket does not belong here' },
  tickets_unavailable: { status: 501, title: 'This object store takes no direct uploads safely' },
  store_unknown: { status: 503, title: 'It is not known yet what the object store can do' },
  compare_and_set_unavailable: { status: 501, title: 'This object store cannot compare and set' },
  precondition_failed: { status: 412, title: 'A precondition does not hold' },
  document_too_large: { status: 413, title: 'The document is too large' },
  body_too_large: { status: 413, title: 'The request body is too large' },
  media_type_unsupported: { status: 415, title: 'The body is in a form that is not taken here' },
  range_unsatisfiable: { status: 416, title: 'The range lies outside the document' },
  host_invalid: { status: 400, title: 'The Host header names no host' },
  body_incomplete: { status: 400, title: 'The body ended before it was complete' },
  request_invalid: { status: 422, title: 'Something in the request has the wrong form' },
  digest_invalid: { status: 422, title: 'Repr-Digest cannot be used' },
  digest_mismatch: { status: 422, title: 'The bytes do not hash to the digest' },
  version_unknown: { status: 422, title: 'There is no such version' },
  cursor_invalid: { status: 422, title: 'The cursor does not belong here' },
  internal_error: { status: 500, title: 'Something went wrong here' },
  integrity_violated: { status: 500, title: 'The stored bytes are damaged' },
  store_refused: { status: 502, title: 'The object store refused the call' },
  store_unavailable: { status: 503, title: 'The object store does not answer' },
  issuer_unavailable: { status: 503, title: 'The token issuer does not answer' },
  busy: { status: 503, title: 'Too much is going on' },
} as const satisfies Record<string, { status: number; title: string }>

export type ProblemCode = keyof typeof problems

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
