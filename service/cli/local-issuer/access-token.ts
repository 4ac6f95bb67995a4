import { importJWK, type JWK, SignJWT } from 'jose'

/** Names that the local issuer uses for the service and its clients; production has its own. */
export const localAudience = 'cloudlysis-documents'
/** OAuth client id of the UI at the local issuer. */
export const localClientId = 'cloudlysis-local'

/** The signature algorithm of all tokens and codes. */
export const localAlgorithm = 'ES256'

/** A private ES256 key; its holder can act as every tenant of the service that trusts it. */
export type SigningKey = JWK & { kty: string; kid: string }

export interface TokenRequest {
  tenants: readonly string[]
  /** Space-separated scopes. */
  scope: string
  /** `local-developer` where left out. */
  subject?: string | undefined
  /** One hour where left out. */
  expiresInSeconds?: number | undefined
}

export interface TokenSigner {
  issuer: string
  audience: string
  jwk: SigningKey
}

/** Returns an access token (RFC 9068) of the local issuer, signed with its private key. */
export async function signLocalToken(signer: TokenSigner, request: TokenRequest): Promise<string> {
  const { tenants, scope, subject = 'local-developer', expiresInSeconds = 3600 } = request
  const issuedAt = Math.floor(Date.now() / 1000)
  const key = await importJWK(signer.jwk, localAlgorithm)
  return new SignJWT({ tenants: [...tenants], scope, client_id: localClientId })
    .setProtectedHeader({
      alg: localAlgorithm,
      typ: 'at+jwt',
      ...(signer.jwk.kid && { kid: signer.jwk.kid }),
    })
    .setIssuer(signer.issuer)
    .setAudience(signer.audience)
    .setSubject(subject)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + expiresInSeconds)
    .setJti(crypto.randomUUID())
    .sign(key)
}
