import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import {
  localAlgorithm,
  localAudience,
  localClientId,
  type SigningKey,
  signLocalToken,
  type TokenRequest,
} from './access-token.ts'
import { serveIssuer } from './issuer-server.ts'
import { signInCode } from './sign-in-code.ts'

/** The issuer that `start` and the tests run on loopback, so that there is one way to authenticate everywhere. */
export interface LocalIssuer {
  issuer: string
  audience: string
  jwksUrl: string
  clientId: string
  privateJwk: SigningKey
  signToken(request: TokenRequest): Promise<string>
  /** Returns a code for a link that signs in at the UI. */
  signCode(request: TokenRequest): Promise<string>
  /** Resolves when the port is free again. */
  stop(): Promise<void>
}

export interface LocalIssuerOptions {
  /** Origins of the UI; without one, no page in a browser can read an answer. */
  uiOrigins?: readonly string[] | undefined
  /** A free one where left out. */
  port?: number | undefined
  /** A new key where left out. */
  privateJwk?: SigningKey | undefined
  /** Lifetime of the tokens that the UI gets; default: 15 minutes. */
  accessTokenSeconds?: number | undefined
}

/** Starts an issuer on 127.0.0.1. Over HTTP it issues tokens only for codes that its own key has signed. */
export async function startLocalIssuer(options: LocalIssuerOptions = {}): Promise<LocalIssuer> {
  const privateJwk = options.privateJwk ?? (await newSigningKey())
  const { uiOrigins = [], port, accessTokenSeconds } = options
  const server = serveIssuer({
    keys: () => [privateJwk],
    signingKey: () => privateJwk,
    uiOrigins: () => uiOrigins,
    port,
    accessTokenSeconds,
  })
  const signer = { issuer: server.issuer, audience: localAudience, jwk: privateJwk }
  return {
    issuer: server.issuer,
    audience: localAudience,
    jwksUrl: server.jwksUrl,
    clientId: localClientId,
    privateJwk,
    signToken: (request) => signLocalToken(signer, request),
    signCode: (request) => signInCode(signer, request),
    stop: server.stop,
  }
}

/** Returns a new private ES256 key; `kid` is its thumbprint (RFC 7638). */
export async function newSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(localAlgorithm, { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kty: 'EC', kid: await calculateJwkThumbprint(jwk), alg: localAlgorithm, use: 'sig' }
}
