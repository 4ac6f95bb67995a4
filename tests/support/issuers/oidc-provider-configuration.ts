import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { signOutPage } from './oidc-provider-pages.ts'

/** A person who can sign in. */
export interface Person {
  /** Becomes `sub`. */
  name: string
  password: string
  /** Becomes the claim `tenants`. */
  tenants: readonly string[]
  /** What they may do, as `scope`, whatever more they ask for. */
  scope: string
}

const documentScopes = 'documents:read documents:write documents:admin'
export const clientId = 'cloudlysis-ui'
/** Absolute, so that the UI asks for it as a resource (RFC 8707 section 2). */
export const audience = 'https://documents.cloudlysis.example/'

/** Its one client, the UI at `origin`: public, as programs in browsers are. */
export function clientAt(origin: string) {
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

export interface Surroundings {
  people: ReadonlyMap<string, Person>
  accessTokenSeconds: () => number
}

export function configurationOf({ people, accessTokenSeconds }: Surroundings): Configuration {
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
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx, form) => {
          ctx.body = signOutPage(form)
        },
      },
      // The UI revokes what it has when a person signs out (RFC 7009).
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
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

/** No one is asked for consent: the operators of the service and of the provider are the same. */
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
