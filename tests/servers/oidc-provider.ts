import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Configuration, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { newSigningKey } from '../../service/scripts/local-issuer.ts'
import { signInPages } from './oidc-provider-pages.ts'
import { createProviderStore } from './oidc-provider-store.ts'
import { registerSecret } from './secrets.ts'

/** Somebody who can sign in. */
export interface Person {
  /** Becomes `sub`. */
  name: string
  password: string
  /** Becomes the claim `tenants`. */
  tenants: readonly string[]
  /** What they may do, as `scope`, whatever more they ask for. */
  scope: string
}

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

const documentScopes = 'documents:read documents:write documents:admin'
const clientId = 'cloudlysis-ui'
/** Absolute, so that the UI asks for it as a resource (RFC 8707 section 2). */
const audience = 'https://documents.cloudlysis.example/'

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

function clientAt(origin: string) {
  return {
    client_id: clientId,
    token_endpoint_auth_method: 'none' as const,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code' as const],
    redirect_uris: [`${origin}/sign-in/callback`],
    post_logout_redirect_uris: [`${origin}/sign-in`],
    id_token_signed_response_alg: 'ES256' as const,
  }
}

interface Surroundings {
  people: ReadonlyMap<string, Person>
  accessTokenSeconds: () => number
}

function configurationOf({ people, accessTokenSeconds }: Surroundings): Configuration {
  return {
    scopes: ['openid', 'offline_access'],
    responseTypes: ['code'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    // Without this, only who is asked for consent again gets one.
    issueRefreshToken: async () => true,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    clientBasedCORS: (_ctx, origin, client) =>
      client.redirectUris?.includes(`${origin}/sign-in/callback`) ?? false,
    findAccount: (_ctx, name) =>
      people.has(name) ? { accountId: name, claims: () => ({ sub: name }) } : undefined,
    extraTokenClaims: (_ctx, token) =>
      'accountId' in token ? { tenants: people.get(String(token.accountId))?.tenants ?? [] } : undefined,
    loadExistingGrant: (ctx) => grantOf(ctx, people),
    ttl: {
      AccessToken: accessTokenSeconds,
      IdToken: 300,
      Session: 3600,
      RefreshToken: 3600,
      Interaction: 600,
      Grant: 3600,
    },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: documentScopes,
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: accessTokenSeconds(),
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }
}

/** Nobody is asked for consent: the operators of the service and of the provider are the same. */
async function grantOf(ctx: KoaContextWithOIDC, people: ReadonlyMap<string, Person>) {
  const { client, session, provider } = ctx.oidc
  const accountId = session?.accountId
  const person = people.get(accountId ?? '')
  if (client === undefined || accountId === undefined || person === undefined) return undefined
  const grant = new provider.Grant({ clientId: client.clientId, accountId })
  grant.addOIDCScope('openid offline_access')
  grant.addResourceScope(audience, person.scope)
  const others = documentScopes.split(' ').filter((scope) => !person.scope.split(' ').includes(scope))
  if (others.length > 0) grant.rejectResourceScope(audience, others.join(' '))
  await grant.save()
  return grant
}
