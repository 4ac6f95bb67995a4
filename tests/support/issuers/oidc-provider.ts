import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { signLocalToken } from '../../../service/cli/local-issuer/access-token.ts'
import { newSigningKey } from '../../../service/cli/local-issuer/issuer.ts'
import { registerSecret } from '../secrets.ts'
import { audience, clientAt, clientId, configurationOf, type Person } from './oidc-provider-configuration.ts'
import { signInPages } from './oidc-provider-pages.ts'
import { createProviderStore } from './oidc-provider-store.ts'

/** An OpenID provider of the kind that production has, with the knobs that tests need. */
export interface OidcProviderForTests {
  /** `http://localhost:…`: cookies know no ports, so its host must not be the service's. */
  issuer: string
  audience: string
  jwksUrl: string
  clientId: string
  /** Registers the UI at that origin as the one client: public, with PKCE (RFC 7636). */
  allowUiAt(origin: string): void
  /** A new person, with a password of their own. */
  addPerson(person: Omit<Person, 'password'>): Person
  /** An access token as a sign-in of that person would give, for what tests prepare without a browser. */
  token(person: Person): Promise<string>
  /** Of access tokens from now on. */
  accessTokenSeconds: number
  /** Ends all sessions and revokes all refresh tokens, as an administrator would. */
  endSessions(): void
  /** Grant types (RFC 6749 section 4) for which tokens were given, in their order. */
  grants: readonly string[]
  /** What must never be seen by a browser: the provider's private keys. */
  secrets: readonly string[]
  stop(): Promise<void>
}

/**
 * Starts panva's `oidc-provider` on loopback, in this process: Authorization Code with PKCE, JWT access tokens
 * (RFC 9068) for one resource, refresh tokens that rotate (RFC 9700 section 4.14), and sign-in pages of our own.
 */
export async function startOidcProvider(): Promise<OidcProviderForTests> {
  const people = new Map<string, Person>()
  const grants: string[] = []
  const key = await newSigningKey()
  const cookieKey = crypto.randomUUID() + crypto.randomUUID()
  let origin: string | undefined
  const store = createProviderStore((id) =>
    id === clientId && origin !== undefined ? clientAt(origin) : undefined,
  )
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const running: OidcProviderForTests = {
    issuer,
    audience,
    jwksUrl: `${issuer}/jwks`,
    clientId,
    accessTokenSeconds: 300,
    grants,
    secrets: [String(key.d), cookieKey],
    allowUiAt: (uiOrigin) => {
      origin = uiOrigin
    },
    addPerson: (person) => {
      const added = { ...person, password: crypto.randomUUID() }
      people.set(person.name, added)
      registerSecret(added.password)
      return added
    },
    token: ({ name, tenants, scope }) =>
      signLocalToken(
        { issuer, audience, jwk: key },
        { tenants, scope, subject: name, expiresInSeconds: 3600 },
      ).then(registered),
    endSessions: store.forgetSignIns,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
  running.secrets.forEach(registerSecret)
  const configuration = configurationOf({ people, accessTokenSeconds: () => running.accessTokenSeconds })
  const provider = new Provider(issuer, {
    ...configuration,
    adapter: store.adapter,
    cookies: { keys: [cookieKey] },
    jwks: { keys: [key] },
  })
  provider.on('grant.success', (ctx: KoaContextWithOIDC) => grants.push(String(ctx.oidc.params?.grant_type)))
  const pages = signInPages(provider, people)
  const answer = provider.callback()
  server.on('request', (request: IncomingMessage, response: ServerResponse) =>
    request.url?.startsWith('/interaction/') ? pages(request, response) : answer(request, response),
  )
  return running
}

function registered(token: string): string {
  registerSecret(token)
  return token
}
