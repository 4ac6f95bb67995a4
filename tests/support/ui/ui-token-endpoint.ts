import type { UiSettings } from '../../../service/wire/ui-settings.ts'
import { registerSecret } from '../secrets.ts'

export interface TokenAnswer {
  subject?: string
  /** Life of the access token. */
  seconds?: number
  /** False: nothing tells when the token was issued, nor `expires_in`, which RFC 6749 only recommends. */
  tellsLife?: boolean
  refreshToken?: string | null
  /** An OAuth error instead (RFC 6749 section 5.2). */
  error?: string
  /** Something that no issuer says, such as a proxy's page. */
  page?: boolean
}

/** An issuer on loopback that answers at its token endpoint as a test says. Dispose it (`using`). */
export interface TokenEndpoint {
  settings: UiSettings
  /** Parameters of all requests so far. */
  asked: Record<string, string>[]
  /** Decides on the next answers; a promise lets the page wait. */
  answer: (parameters: Record<string, string>) => TokenAnswer | Promise<TokenAnswer>
  /** Nothing listens any more. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** @param revocation whether its token endpoint also takes revocations */
export function startTokenEndpoint(
  metadata: Record<string, string> = {},
  { revocation = false } = {},
): TokenEndpoint {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request): Promise<Response> {
      const { pathname } = new URL(request.url)
      if (pathname !== '/token') {
        return Response.json({
          issuer,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          ...(revocation ? { revocation_endpoint: `${issuer}/token` } : {}),
          ...metadata,
        })
      }
      const parameters = Object.fromEntries(new URLSearchParams(await request.text()))
      endpoint.asked.push(parameters)
      return tokenResponse(await endpoint.answer(parameters))
    },
  })
  const issuer: string = `http://127.0.0.1:${server.port}`
  const stop = () => server.stop(true)
  const endpoint: TokenEndpoint = {
    settings: {
      ...{ issuer, clientId: 'ui', audience: 'documents', traceUrlTemplate: null },
      scope: 'openid documents:read documents:write documents:admin',
    },
    asked: [],
    answer: () => ({}),
    stop,
    [Symbol.asyncDispose]: stop,
  }
  return endpoint
}

function tokenResponse({
  error,
  page,
  subject = 'alice',
  seconds = 300,
  tellsLife = true,
  refreshToken,
}: TokenAnswer): Response {
  if (page)
    return new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'content-type': 'text/html' } })
  if (error) return Response.json({ error }, { status: 400 })
  const refresh = refreshToken === null ? {} : { refresh_token: refreshToken ?? secret('refresh') }
  const access = accessToken(subject, seconds, tellsLife)
  const life = tellsLife ? { expires_in: seconds } : {}
  return Response.json({ access_token: access, token_type: 'Bearer', ...life, ...refresh })
}

/** Of the form of a JWT; the page reads it and cannot verify it. */
function accessToken(sub: string, seconds: number, tellsIssue: boolean): string {
  const now = Math.floor(Date.now() / 1000)
  const issued = tellsIssue ? { iat: now } : {}
  const payload = { sub, tenants: ['acme'], scope: 'documents:read', ...issued, exp: now + seconds }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return registered(`${encode({ alg: 'none' })}.${encode(payload)}.${crypto.randomUUID()}`)
}

function secret(name: string): string {
  return registered(`${name}-${crypto.randomUUID()}`)
}

function registered(value: string): string {
  registerSecret(value)
  return value
}
