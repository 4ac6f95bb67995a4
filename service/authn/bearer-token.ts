import { limits } from '../limits.ts'

export type BearerToken =
  | { ok: true; token: string }
  | { ok: false; error: 'missing' | 'malformed'; description: string }

/** RFC 6750 section 2.1: `"Bearer" 1*SP b64token`; the scheme compares without case (RFC 9110 section 11.1). */
const form = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i

/** Returns the token of an `Authorization` header, at most `limits.tokenBytesMax` bytes of ASCII. */
export function bearerTokenFrom(authorization: string | null): BearerToken {
  if (authorization === null || authorization === '') {
    return { ok: false, error: 'missing', description: 'Send a bearer token in the Authorization header.' }
  }
  // Before the expression looks at it: the length is the caller's choice.
  if (authorization.length > limits.tokenBytesMax + 'Bearer '.length) return malformed('is too long')
  const token = form.exec(authorization)?.[1]
  return token === undefined ? malformed('is not "Bearer" and one token') : { ok: true, token }
}

function malformed(problem: string): BearerToken {
  return { ok: false, error: 'malformed', description: `The Authorization header ${problem}.` }
}
