import { errors, importJWK, jwtVerify } from 'jose'
import { scopes } from '../../authz/principal.ts'
import { localAlgorithm, signJwt, type TokenRequest, type TokenSigner } from './access-token.ts'

/**
 * Sign-in codes: what the link of `start` carries instead of a token. A code can be exchanged once, within an hour, at
 * the token endpoint of the issuer whose key signed it. It is signed, so that `bun run link` can make one without the
 * running start.
 */

/** RFC 8725 section 3.11: a code is never mistaken for an access token, nor the other way round. */
const codeType = 'sign-in-code+jwt'
const codeSeconds = 60 * 60

/** The tenants of the link that `start` prints: more than one, so that there is something to choose from. */
export const localTenants: readonly string[] = ['acme', 'globex']
/** All scopes: those of the link and of the tokens that commands make for themselves. */
export const localScope: string = scopes.join(' ')

export interface SignInCode {
  /** Unique: a code that is sent again is recognised by it. */
  id: string
  expiresAt: Date
  tenants: string[]
  scope: string
  subject: string
}

/** Returns a signed code. @param request `expiresInSeconds` is the lifetime of the code; default: an hour */
export function signInCode(signer: TokenSigner, request: TokenRequest): Promise<string> {
  const audience = tokenEndpointOf(signer.issuer)
  return signJwt(signer, request, { typ: codeType, expiresInSeconds: codeSeconds, audience })
}

/** Reads a code. @returns `null` for one that this signer has not made or that has expired */
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

/** Returns the URL of the token endpoint of an issuer. */
export function tokenEndpointOf(issuer: string): string {
  return `${issuer}/token`
}

/** Returns the link to the UI at `url` with the code in the fragment, which browsers send nowhere. */
export function signInLink(url: string, code: string): string {
  return `${url}/#sign-in=${code}`
}
