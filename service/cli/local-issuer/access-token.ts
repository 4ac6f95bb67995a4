import { importJWK, type JWK, type JWTPayload, SignJWT } from 'jose'

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
export function signLocalToken(signer: TokenSigner, request: TokenRequest): Promise<string> {
  return signJwt(signer, request, {
    typ: 'at+jwt',
    expiresInSeconds: 3600,
    claims: { client_id: localClientId },
  })
}

/** Returns a JWT of this type for the request; `expiresInSeconds` and `audience` are its defaults. */
export async function signJwt(
  { issuer, jwk, ...signer }: TokenSigner,
  { tenants, scope, subject = 'local-developer', ...request }: TokenRequest,
  kind: { typ: string; expiresInSeconds: number; audience?: string; claims?: JWTPayload },
): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1000)
  return new SignJWT({ tenants: [...tenants], scope, ...kind.claims })
    .setProtectedHeader({ alg: localAlgorithm, typ: kind.typ, ...(jwk.kid && { kid: jwk.kid }) })
    .setIssuer(issuer)
    .setAudience(kind.audience ?? signer.audience)
    .setSubject(subject)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + (request.expiresInSeconds ?? kind.expiresInSeconds))
    .setJti(crypto.randomUUID())
    .sign(await importJWK(jwk, localAlgorithm))
}
