import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import {
  localAlgorithm,
  localAudience,
  localClientId,
  type SigningKey,
  signLocalToken,
  type TokenRequest,
} from './local-token.ts'

/** The issuer that `start` and the tests run on loopback, so that there is one way to authenticate everywhere. */
export interface LocalIssuer {
  issuer: string
  audience: string
  jwksUrl: string
  clientId: string
  privateJwk: SigningKey
  signToken(request: TokenRequest): Promise<string>
  /** Resolves when the port is free again. */
  stop(): Promise<void>
}

export interface LocalIssuerOptions {
  /** A free one where left out. */
  port?: number | undefined
  /** A new key where left out. */
  privateJwk?: SigningKey | undefined
}

/** Starts an issuer on 127.0.0.1 that publishes its key and metadata. It hands out no tokens over HTTP. */
export async function startLocalIssuer(options: LocalIssuerOptions = {}): Promise<LocalIssuer> {
  const privateJwk = options.privateJwk ?? (await newSigningKey())
  const server = publishKeys(() => [privateJwk], options.port)
  return {
    issuer: server.issuer,
    audience: localAudience,
    jwksUrl: server.jwksUrl,
    clientId: localClientId,
    privateJwk,
    signToken: (request) =>
      signLocalToken({ issuer: server.issuer, audience: localAudience, jwk: privateJwk }, request),
    stop: server.stop,
  }
}

/** A private ES256 key; `kid` is its thumbprint (RFC 7638). */
export async function newSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(localAlgorithm, { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kty: 'EC', kid: await calculateJwkThumbprint(jwk), alg: localAlgorithm, use: 'sig' }
}

export interface KeyServer {
  issuer: string
  jwksUrl: string
  stop(): Promise<void>
}

/**
 * Serves `/jwks.json` (RFC 7517) and `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0, section
 * 3) on loopback. `keys` is asked for every request, so a key can come and go while the server runs.
 */
export function publishKeys(keys: () => readonly JWK[], port = 0): KeyServer {
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: '127.0.0.1',
    port,
    routes: {
      '/jwks.json': { GET: () => Response.json({ keys: keys().map(publicPart) }) },
      '/.well-known/openid-configuration': { GET: (): Response => Response.json(metadata(issuer)) },
    },
    fetch: () => new Response('not found\n', { status: 404 }),
  })
  const issuer: string = `http://127.0.0.1:${server.port}`
  return { issuer, jwksUrl: `${issuer}/jwks.json`, stop: () => server.stop(true) }
}

function metadata(issuer: string): object {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks.json`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [localAlgorithm],
  }
}

/** The members of an EC or RSA key that may be published (RFC 7518 sections 6.2.1, 6.3.1), by name. */
function publicPart({ kty, crv, x, y, n, e, kid, alg, use }: JWK): JWK {
  const all = { kty, crv, x, y, n, e, kid, alg, use }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as JWK
}
