import { createHash, randomBytes } from 'node:crypto'
import { signLocalToken, type TokenSigner } from './access-token.ts'
import { readSignInCode } from './sign-in-code.ts'

/** RFC 6749 section 5.1. */
export interface GrantedTokens {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  refresh_token: string
  scope: string
}

/** RFC 6749 section 5.2. */
export type RefusedGrant = 'invalid_grant' | 'invalid_scope'

/** Issues tokens for codes and refresh tokens. */
export interface TokenGrants {
  /** Works once. A code that is sent again revokes what it was exchanged for (RFC 6749 section 4.1.2). */
  redeem(code: string): Promise<GrantedTokens | RefusedGrant>
  /**
   * A refresh token works once, and the answer has the next one. One that is sent again was stolen: everything that
   * descends from its sign-in is revoked (RFC 9700 section 4.14.2).
   *
   * @param scope a part of what was granted; scopes beyond it are left out (RFC 6749 section 6).
   */
  refresh(refreshToken: string, scope?: string): Promise<GrantedTokens | RefusedGrant>
  /** Revokes the sign-in that this refresh token, or the one before it, continues; ignores any other text. */
  revoke(refreshToken: string): void
}

/** One sign-in, and which refresh token continues it. */
interface Family {
  tenants: readonly string[]
  scope: string
  subject: string
  currentHash: string
  expiresAtMs: number
}

/** A browser that was closed for longer signs in again. */
const idleSecondsMax = 12 * 60 * 60
/** Links are made by hand: more are a mistake, and the oldest is dropped. */
const familiesMax = 1000

/** Creates the grants of one issuer. @param signer whose key has signed the codes and signs the tokens */
export function createTokenGrants(signer: () => TokenSigner, accessTokenSeconds: number): TokenGrants {
  /** By the code's id: when it expires, and the family that it was exchanged for. */
  const redeemed = new Map<string, { expiresAtMs: number; family: string }>()
  const families = new Map<string, Family>()

  async function tokensOf(id: string, family: Family, scope: string): Promise<GrantedTokens> {
    const secret = randomBytes(32).toString('base64url')
    // Before anything is awaited: a second request with the same token must find it used.
    family.currentHash = hashOf(secret)
    family.expiresAtMs = Date.now() + idleSecondsMax * 1000
    const { tenants, subject } = family
    const request = { tenants, subject, scope, expiresInSeconds: accessTokenSeconds }
    return {
      access_token: await signLocalToken(signer(), request),
      token_type: 'Bearer',
      expires_in: accessTokenSeconds,
      refresh_token: `${id}.${secret}`,
      scope,
    }
  }

  return {
    async redeem(code) {
      const read = await readSignInCode(signer(), code)
      if (read === null) return 'invalid_grant'
      const before = redeemed.get(read.id)
      if (before) {
        families.delete(before.family)
        return 'invalid_grant'
      }
      forgetOld(redeemed, families)
      const id = randomBytes(16).toString('base64url')
      redeemed.set(read.id, { expiresAtMs: read.expiresAt.getTime(), family: id })
      const { tenants, scope, subject } = read
      const family = { tenants, scope, subject, currentHash: '', expiresAtMs: 0 }
      families.set(id, family)
      return tokensOf(id, family, scope)
    },

    async refresh(refreshToken, asked) {
      const [id = '', secret = ''] = refreshToken.split('.')
      const family = families.get(id)
      if (!family) return 'invalid_grant'
      if (family.currentHash !== hashOf(secret) || family.expiresAtMs < Date.now()) {
        families.delete(id)
        return 'invalid_grant'
      }
      const scope = asked === undefined ? family.scope : partOf(family.scope, asked)
      // The refresh token stays valid: it was not the token that was wrong.
      return scope === '' ? 'invalid_scope' : tokensOf(id, family, scope)
    },

    revoke(refreshToken) {
      const [id = ''] = refreshToken.split('.')
      families.delete(id)
    },
  }
}

function forgetOld(redeemed: Map<string, { expiresAtMs: number }>, families: Map<string, Family>): void {
  const now = Date.now()
  for (const [id, { expiresAtMs }] of redeemed) if (expiresAtMs < now) redeemed.delete(id)
  for (const [id, { expiresAtMs }] of families) if (expiresAtMs < now) families.delete(id)
  const [oldest] = families.keys()
  if (families.size >= familiesMax && oldest !== undefined) families.delete(oldest)
}

function partOf(granted: string, asked: string): string {
  const wanted = new Set(asked.split(' '))
  return granted
    .split(' ')
    .filter((scope) => wanted.has(scope))
    .join(' ')
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
