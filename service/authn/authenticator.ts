import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Principal } from '../authz/principal.ts'
import { limits } from '../limits.ts'
import { bearerTokenFrom } from './bearer-token.ts'
import { principalFrom } from './claims.ts'
import { type FetchKeys, IssuerUnavailable, type KeyReports, type KeyTimes, keysOf } from './issuer-keys.ts'

/** Finds out who sends a request, from its `Authorization` header. */
export interface Authenticator {
  /**
   * Never throws, and never accepts a token in doubt: every failure is a value.
   *
   * @param authorization the header as received, `null` where there is none.
   */
  authenticate(authorization: string | null): Promise<Authentication>
}

export type Authentication =
  | { ok: true; principal: Principal }
  | { ok: false; error: AuthenticationError; description: string }
  /** The issuer's keys could not be had: nothing is known about the token. `cause` is for the log only. */
  | { ok: false; error: 'unavailable'; description: string; cause: unknown }

export type AuthenticationError =
  /** No `Authorization` header. */
  | 'missing'
  /** Not `Bearer <token>`, or longer than `limits.tokenBytesMax`. */
  | 'malformed'
  /** A token that is not for us, not signed by the issuer, or whose claims break their form. */
  | 'invalid'
  | 'expired'

export interface AuthenticatorOptions {
  /** `iss` that a token must carry, compared as a string (RFC 8725 section 3.8). */
  issuer: string
  /** One of a token's `aud` (RFC 8725 section 3.9). */
  audience: string
  jwksUrl: string
  clock?: (() => Date) | undefined
  fetch?: FetchKeys | undefined
  /** PEM certificates of a private authority that vouches for `jwksUrl`. */
  ca?: string | undefined
  /** URL of a proxy that tunnels to `jwksUrl`; none by default, whatever the environment names. */
  proxy?: string | undefined
  /** How long the issuer's keys live here; from `limits` where left out. */
  keyTimes?: KeyTimes | undefined
  reports?: KeyReports | undefined
}

/**
 * Asymmetric only: an allow-list without HS256 and `none` is what keeps a public key from being used as an HMAC
 * secret (RFC 8725 sections 2.1, 3.1). `Ed25519` is the newer name of `EdDSA` over that curve (RFC 9864).
 */
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']

/** RFC 9068 section 2.1 and RFC 7519 section 5.1; anything else is a token for another purpose. */
const types: ReadonlySet<string> = new Set(['at+jwt', 'jwt'])

/** Returns an {@link Authenticator} that verifies JWTs (RFC 7519) with the keys which the issuer publishes (RFC 7517). */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const clock = options.clock ?? (() => new Date())
  const keys = keysOf(options)
  const verified = new VerifiedTokens()
  return {
    async authenticate(authorization) {
      const bearer = bearerTokenFrom(authorization)
      if (!bearer.ok) return bearer
      const known = verified.get(bearer.token, clock())
      if (known) return { ok: true, principal: known }
      const result = await verify(bearer.token, keys, options, clock())
      if (!result.ok) return result
      verified.add(bearer.token, result.principal, result.expiresAt, clock())
      return { ok: true, principal: result.principal }
    },
  }
}

type Verification =
  | { ok: true; principal: Principal; expiresAt: Date }
  | Exclude<Authentication, { ok: true }>

async function verify(
  token: string,
  keys: JWTVerifyGetKey,
  { issuer, audience }: AuthenticatorOptions,
  now: Date,
): Promise<Verification> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      algorithms,
      issuer,
      audience,
      requiredClaims: ['exp', 'sub', 'tenants'],
      clockTolerance: limits.tokenClockSkewSeconds,
      currentDate: now,
    })
    if (!isTypeAllowed(protectedHeader.typ)) return invalid('its "typ" is neither "at+jwt" nor "JWT"')
    const claims = principalFrom(payload)
    if (!claims.ok) return invalid(claims.problem)
    // `exp` is a number: jose has checked it as a required claim.
    return { ok: true, principal: claims.principal, expiresAt: new Date(Number(payload.exp) * 1000) }
  } catch (error) {
    return explain(error)
  }
}

/** RFC 7515 section 4.1.9: media types compare without case, and `application/` may be left out. */
function isTypeAllowed(type: string | undefined): boolean {
  return types.has((type ?? '').toLowerCase().replace(/^application\//, ''))
}

function invalid(problem: string): Exclude<Authentication, { ok: true }> {
  return { ok: false, error: 'invalid', description: `The token is not accepted: ${problem}.` }
}

/** Explains a refusal in sentences of our own: those of a library may quote the token. */
function explain(error: unknown): Exclude<Authentication, { ok: true }> {
  if (error instanceof IssuerUnavailable) {
    const description = 'The keys of the token issuer cannot be read at the moment.'
    return { ok: false, error: 'unavailable', description, cause: error.cause }
  }
  if (error instanceof errors.JWTExpired) {
    return { ok: false, error: 'expired', description: 'The token has expired.' }
  }
  if (error instanceof errors.JWTClaimValidationFailed) return invalid(claimProblem(error))
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid('its algorithm is not allowed')
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid('its signature does not verify')
  if (error instanceof errors.JWKSNoMatchingKey) return invalid('the issuer has no key that matches it')
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return invalid('it names no "kid" and several keys match')
  return invalid('it is not a signed JWT')
}

function claimProblem({ claim, reason }: errors.JWTClaimValidationFailed): string {
  if (reason === 'missing') return `its claim "${claim}" is missing`
  if (claim === 'iss') return 'it comes from another issuer'
  if (claim === 'aud') return 'it is for another audience'
  if (claim === 'nbf') return 'it is not valid yet'
  return `its claim "${claim}" is not well formed`
}

/**
 * Remembers for `limits.tokenCacheSeconds` that a token was verified, and never past its expiry. Verifying ES256
 * takes about 70 µs, finding the token here under 2 µs (README.md, "Decisions"). Keyed by the token's SHA-256,
 * so a dump of memory gives no token away.
 */
class VerifiedTokens {
  readonly #entries = new LRUCache<string, { principal: Principal; until: number }>({
    max: limits.tokenCacheEntriesMax,
  })

  get(token: string, now: Date): Principal | undefined {
    const key = keyOf(token)
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (now.getTime() < entry.until) return entry.principal
    this.#entries.delete(key)
    return undefined
  }

  add(token: string, principal: Principal, expiresAt: Date, now: Date): void {
    const until = Math.min(now.getTime() + limits.tokenCacheSeconds * 1000, expiresAt.getTime())
    if (until > now.getTime()) this.#entries.set(keyOf(token), { principal, until })
  }
}

function keyOf(token: string): string {
  return new Bun.CryptoHasher('sha256').update(token).digest('base64')
}
