import { errors, importJWK, jwtVerify, SignJWT } from 'jose'
import { scopes } from '../../authz/principal.ts'
import { localAlgorithm, type TokenRequest, type TokenSigner } from './access-token.ts'

/**
 * Sign-in codes: what the link of `start` carries in place of a token. A code is good for one exchange at the
 * token endpoint of the issuer whose key signed it, within an hour. Signed, so that `bun run link` can make one
 * beside a running start that knows nothing of it.
 */

/** RFC 8725 section 3.11: a code is never taken for an access token, nor the other way round. */
const codeType = 'sign-in-code+jwt'
const codeSeconds = 60 * 60

/** Of the link that `start` prints: more than one tenant, so that there is something to choose from. */
export const localTenants: readonly string[] = ['acme', 'globex']
export const localScope: string = scopes.join(' ')

export interface SignInCode {
  /** Unique: by it a code is recognised that comes again. */
  id: string
  expiresAt: Date
  tenants: string[]
  scope: string
  subject: string
}

/** @param request `expiresInSeconds` is the code's own life; an hour where left out. */
export async function signInCode(signer: TokenSigner, request: TokenRequest): Promise<string> {
  const { tenants, scope, subject = 'local-developer', expiresInSeconds = codeSeconds } = request
  const issuedAt = Math.floor(Date.now() / 1000)
  return new SignJWT({ tenants: [...tenants], scope })
    .setProtectedHeader({ alg: localAlgorithm, typ: codeType, kid: signer.jwk.kid })
    .setIssuer(signer.issuer)
    .setAudience(tokenEndpointOf(signer.issuer))
    .setSubject(subject)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + expiresInSeconds)
    .setJti(crypto.randomUUID())
    .sign(await importJWK(signer.jwk, localAlgorithm))
}

/** @returns `null` for what this signer has not made, or what is too old. */
export async function readSignInCode(signer: TokenSigner, code: string): Promise<SignInCode | null> {
  const { d: _private, ...publicJwk } = signer.jwk
  try {
    const { payload } = await jwtVerify(code, await importJWK(publicJwk, localAlgorithm), {
      algorithms: [localAlgorithm],
      typ: codeType,
      issuer: signer.issuer,
      audience: tokenEndpointOf(signer.issuer),
      requiredClaims: ['exp', 'jti', 'sub', 'tenants', 'scope'],
    })
    const { jti: id = '', exp = 0, sub: subject = '' } = payload
    const { tenants, scope } = payload as { tenants: string[]; scope: string }
    return { id, expiresAt: new Date(exp * 1000), tenants, scope, subject }
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}

export function tokenEndpointOf(issuer: string): string {
  return `${issuer}/token`
}

/** The address at which the UI of `url` takes the code: in the fragment, which no browser sends anywhere. */
export function signInLink(url: string, code: string): string {
  return `${url}/#sign-in=${code}`
}
