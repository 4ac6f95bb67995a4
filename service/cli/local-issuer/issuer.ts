import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import {
  localAlgorithm,
  localAudience,
  localClientId,
  type SigningKey,
  signLocalToken,
  type TokenRequest,
} from './access-token.ts'
import { signInCode, tokenEndpointOf } from './sign-in-code.ts'
import { answerRevocation, answerTokenRequest, formBytesMax } from './token-endpoint.ts'
import { createTokenGrants } from './token-grants.ts'

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

/** The UI renews its token before it expires; a long upload outlives several of them. */
const accessTokenSecondsDefault = 15 * 60

export interface IssuerServerOptions {
  /** All published keys. Called for every request, so that keys can be replaced while the server runs. */
  keys: () => readonly JWK[]
  /** The one that signs. */
  signingKey: () => SigningKey
  /** Origins of the UI, such as `http://127.0.0.1:8080`: no other page may read the answers. */
  uiOrigins: () => readonly string[]
  /** A free one where left out. */
  port?: number | undefined
  /** 15 minutes where left out. */
  accessTokenSeconds?: number | undefined
}

export interface IssuerServer {
  issuer: string
  jwksUrl: string
  /** Resolves when the port is free again. */
  stop(): Promise<void>
}

/**
 * Serves an issuer on loopback: `/jwks.json` (RFC 7517), `/.well-known/openid-configuration` (OpenID Connect Discovery
 * 1.0, section 3), `/token` and `/revoke`. There is no authorization endpoint: codes are made out of band.
 */
export function serveIssuer(options: IssuerServerOptions): IssuerServer {
  const { keys, signingKey, uiOrigins, accessTokenSeconds = accessTokenSecondsDefault } = options
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: '127.0.0.1',
    port: options.port ?? 0,
    maxRequestBodySize: formBytesMax,
    fetch: async (request): Promise<Response> => {
      const origin = request.headers.get('origin')
      const isForeign = origin !== null && !uiOrigins().includes(origin)
      const response = await answer(request, isForeign)
      response.headers.set('vary', 'Origin')
      if (origin !== null && !isForeign) response.headers.set('access-control-allow-origin', origin)
      return response
    },
  })
  const issuer: string = `http://127.0.0.1:${server.port}`
  const grants = createTokenGrants(
    () => ({ issuer, audience: localAudience, jwk: signingKey() }),
    accessTokenSeconds,
  )
  const isRedirectUri = (uri: string) => uiOrigins().some((origin) => uri === `${origin}/sign-in/callback`)

  const endpoints = new Map<string, Endpoint>([
    ['/jwks.json', { method: 'GET', answer: () => Response.json({ keys: keys().map(publicPart) }) }],
    ['/.well-known/openid-configuration', { method: 'GET', answer: () => Response.json(metadata(issuer)) }],
    ['/token', { method: 'POST', answer: (request) => answerTokenRequest(request, grants, isRedirectUri) }],
    ['/revoke', { method: 'POST', answer: (request) => answerRevocation(request, grants) }],
  ])

  async function answer(request: Request, isForeign: boolean): Promise<Response> {
    const endpoint = endpoints.get(new URL(request.url).pathname)
    if (!endpoint) return new Response('not found\n', { status: 404 })
    const { method } = endpoint
    // Before a code is read: a page of another origin must not even be able to use it up.
    if (isForeign && request.method !== 'GET') return new Response('not for this origin\n', { status: 403 })
    if (request.method === 'OPTIONS') return preflightAnswer(method)
    if (request.method !== method) return new Response(null, { status: 405, headers: { allow: method } })
    return endpoint.answer(request)
  }

  return { issuer, jwksUrl: `${issuer}/jwks.json`, stop: () => server.stop(true) }
}

interface Endpoint {
  method: 'GET' | 'POST'
  answer(request: Request): Response | Promise<Response>
}

/** Fetch standard, "CORS-preflight request". */
function preflightAnswer(method: string): Response {
  const headers = { 'access-control-allow-methods': method, 'access-control-allow-headers': 'content-type' }
  return new Response(null, { status: 204, headers })
}

function metadata(issuer: string): object {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks.json`,
    token_endpoint: tokenEndpointOf(issuer),
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint: `${issuer}/revoke`,
    revocation_endpoint_auth_methods_supported: ['none'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [localAlgorithm],
  }
}

/** Returns the members of an EC or RSA key that may be published (RFC 7518 sections 6.2.1, 6.3.1), by name. */
function publicPart({ kty, crv, x, y, n, e, kid, alg, use }: JWK): JWK {
  const all = { kty, crv, x, y, n, e, kid, alg, use }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as JWK
}
