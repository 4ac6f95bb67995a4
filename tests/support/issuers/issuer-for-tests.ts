import { CompactSign, exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK } from 'jose'
import {
  localAudience,
  localClientId,
  type SigningKey,
  type TokenRequest,
} from '../../../service/cli/local-issuer/access-token.ts'
import { newSigningKey, serveIssuer } from '../../../service/cli/local-issuer/issuer.ts'
import { localScope, localTenants, signInCode } from '../../../service/cli/local-issuer/sign-in-code.ts'
import { registerSecret } from '../secrets.ts'

/**
 * An issuer on loopback whose keys can come and go, and which also signs what an honest issuer never would.
 * Every token goes through `registerSecret`.
 */
export interface IssuerForTests {
  issuer: string
  audience: string
  jwksUrl: string
  clientId: string
  /** A valid token: tenant `acme`, all scopes, subject `alice`, 5 minutes, except what `claims` changes. */
  token(claims?: Claims): Promise<string>
  /** A code for the link to the UI: tenants `acme` and `globex`, all scopes, subject `alice`, except what `request` changes. */
  signInCode(request?: Partial<TokenRequest>): Promise<string>
  /** Lets the UI of that origin exchange codes and refresh tokens. */
  admitUi(origin: string): void
  /** Any header over any payload, signed with any key: what an attacker would try. */
  sign(token: OddToken): Promise<string>
  /** `alg` is `none`, no signature (RFC 7518 section 3.6). */
  unsignedToken(): Promise<string>
  /** HS256 with our public key as the secret (RFC 8725 section 2.1). */
  publicKeyAsSecretToken(): Promise<string>
  /** A new key, published next to the others and used for `token` from now on. */
  addKey(algorithm?: string): Promise<JWK>
  /** No longer published. */
  dropKey(kid: string): void
  stop(): Promise<void>
  /** Stops it at the end of a block (`await using`). */
  [Symbol.asyncDispose](): Promise<void>
}

/** Claims in place of the good ones; `undefined` leaves one out. Times are seconds since 1970. */
export type Claims = Readonly<Record<string, unknown>>

export interface OddToken {
  header?: Readonly<Record<string, unknown>> | undefined
  claims?: Claims | undefined
  key?: JWK | undefined
}

export interface IssuerOptions {
  /** Life of what is given for codes and refresh tokens; default: 15 minutes. */
  accessTokenSeconds?: number | undefined
}

export async function startIssuerForTests(options: IssuerOptions = {}): Promise<IssuerForTests> {
  const keys: JWK[] = [await newSigningKey()]
  const uiOrigins: string[] = []
  const current = () => keys.at(-1) ?? missingKey()
  const signingKey = () => current() as SigningKey
  const server = serveIssuer({ ...options, keys: () => keys, signingKey, uiOrigins: () => uiOrigins })
  const goodClaims = () => claimsOf(server.issuer)
  const sign = async ({ header, claims, key = current() }: OddToken) =>
    signed({ ...headerOf(key), ...header }, { ...goodClaims(), ...claims }, key)
  return {
    issuer: server.issuer,
    audience: localAudience,
    jwksUrl: server.jwksUrl,
    clientId: localClientId,
    token: (claims) => sign({ claims }),
    async signInCode(request) {
      const signer = { issuer: server.issuer, audience: localAudience, jwk: signingKey() }
      const asked = { tenants: localTenants, scope: localScope, subject: 'alice', ...request }
      return registered(await signInCode(signer, asked))
    },
    admitUi: (origin) => void uiOrigins.push(origin),
    sign,
    unsignedToken: async () =>
      registered(`${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(goodClaims())}.`),
    publicKeyAsSecretToken: () => hmacSigned(goodClaims(), current()),
    addKey: async (algorithm) => {
      const key = algorithm === undefined ? await newSigningKey() : await keyFor(algorithm)
      keys.push(key)
      return key
    },
    dropKey: (kid) => {
      const index = keys.findIndex((key) => key.kid === kid)
      if (index >= 0) keys.splice(index, 1)
    },
    stop: server.stop,
    [Symbol.asyncDispose]: server.stop,
  }
}

/** A private key for `algorithm` that is published nowhere. */
export async function keyFor(algorithm: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  return { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: algorithm, use: 'sig' }
}

function claimsOf(issuer: string): Claims {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: issuer,
    aud: localAudience,
    sub: 'alice',
    tenants: ['acme'],
    scope: 'documents:read documents:write documents:admin',
    client_id: localClientId,
    iat: now,
    exp: now + 300,
    jti: crypto.randomUUID(),
  }
}

function headerOf(key: JWK): Record<string, unknown> {
  return { alg: key.alg, typ: 'at+jwt', kid: key.kid }
}

async function signed(header: Record<string, unknown>, payload: Claims, key: JWK): Promise<string> {
  const secret = await importJWK(key, String(header.alg))
  // Without this list jose refuses to sign a critical header that it does not know.
  const crit = Object.fromEntries(Object.keys(header).map((name) => [name, true]))
  // CompactSign, for SignJWT would refuse payloads that are no JWT.
  return registered(
    await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ ...header, alg: String(header.alg) })
      .sign(secret, { crit }),
  )
}

async function hmacSigned(payload: Claims, key: JWK): Promise<string> {
  const { d: _private, ...publicJwk } = key
  const publicKey = await importJWK({ ...publicJwk, ext: true }, String(key.alg))
  if (publicKey instanceof Uint8Array) throw new Error('an EC key is needed')
  const secret = new TextEncoder().encode(await exportSPKI(publicKey))
  const signature = new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
  return registered(
    await signature.setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: String(key.kid) }).sign(secret),
  )
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

function registered(token: string): string {
  registerSecret(token)
  return token
}

function missingKey(): never {
  throw new Error('every key was dropped: pass the key to sign with')
}
