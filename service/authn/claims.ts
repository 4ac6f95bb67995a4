import type { JWTPayload } from 'jose'
import { type Principal, parseScopes } from '../authz/principal.ts'
import { limits } from '../limits.ts'
import { tenantPattern } from '../wire/names.ts'

export type Claims = { ok: true; principal: Principal } | { ok: false; problem: string }

/** Printable ASCII without spaces at the ends: it is kept as S3 user metadata, which is a header. */
const subjectForm = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/
const tenantForm = new RegExp(tenantPattern)

/**
 * Returns the principal that a verified token speaks for, from `sub`, `tenants` (a list of tenant labels) and `scope` (space-separated,
 * RFC 8693 section 4.2; absent means none). A list with one bad tenant is refused as a whole: leaving the bad
 * one out would hide a broken issuer.
 */
export function principalFrom(payload: JWTPayload): Claims {
  const { sub, tenants, scope } = payload
  if (isIdToken(payload)) return { ok: false, problem: 'it is an ID token: send the access token' }
  if (!isSubject(sub))
    return { ok: false, problem: 'its claim "sub" is not 1 to 255 printable ASCII characters' }
  if (!isTenantList(tenants))
    return { ok: false, problem: 'its claim "tenants" is not a list of tenant labels' }
  if (scope !== undefined && typeof scope !== 'string') {
    return { ok: false, problem: 'its claim "scope" is not a text' }
  }
  const clientId = payload.client_id ?? payload.azp
  return {
    ok: true,
    principal: {
      subject: sub,
      tenants: new Set(tenants),
      scopes: parseScopes(scope ?? ''),
      ...(isSubject(clientId) && { clientId }),
    },
  }
}

/**
 * Tells an ID token by the claims that only ID tokens have (OpenID Connect Core 1.0, sections 2 and 3.3.2.11), or by
 * what Keycloak (`typ`) and Cognito (`token_use`) call it. It says who has signed in to a client, and was never meant
 * to leave it (RFC 9068 section 5).
 */
function isIdToken({ nonce, at_hash, c_hash, typ, token_use }: JWTPayload): boolean {
  const hasOwnClaim = [nonce, at_hash, c_hash].some((claim) => claim !== undefined)
  return hasOwnClaim || [typ, token_use].some((kind) => `${kind}`.toLowerCase() === 'id')
}

function isSubject(value: unknown): value is string {
  return typeof value === 'string' && value.length <= limits.tokenSubjectCharsMax && subjectForm.test(value)
}

function isTenantList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= limits.tokenTenantsMax &&
    value.every((tenant) => typeof tenant === 'string' && tenantForm.test(tenant))
  )
}
