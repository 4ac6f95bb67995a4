import {
  ErrorResponse,
  type OidcMetadata,
  type SigninResponse,
  User,
  UserManager,
  type UserManagerSettings,
  WebStorageStateStore,
} from 'oidc-client-ts'
import type { UiSettings } from '../../wire/ui-settings.ts'
import { patterns, safeReturnPath } from '../routes.ts'
import { type HeldTokens, type Issuer, IssuerRefusal, IssuerSilence } from './issuer.ts'
import { endSeconds } from './token-claims.ts'

const requestSecondsMax = 15
const popupKey = 'documents.popup'

/** Creates the issuer for an OpenID Connect provider: authorisation code with PKCE (RFC 7636), refresh tokens that rotate. */
export function createOidcIssuer(settings: UiSettings, origin: string, storage: Storage): Issuer {
  const store = new WebStorageStateStore({ store: storage })
  const manager = new UserManager(managerSettings(settings, origin, store))
  let signOuts = 0

  /** The library keeps tokens that arrive after signing out: forgets them again. */
  async function unlessSignedOut(coming: Promise<User>): Promise<User> {
    const before = signOuts
    const user = await coming
    if (before === signOuts) return user
    await forget(manager)
    throw new IssuerRefusal('signed_out')
  }

  async function hasSignInPage(): Promise<boolean> {
    const metadata: Partial<OidcMetadata> = await asked(manager.metadataService.getMetadata())
    return metadata.authorization_endpoint !== undefined
  }

  return {
    hasSignInPage,
    async stored() {
      const user = await manager.getUser()
      if (user === null || (await isOnlyTab(storage))) return user && heldOf(user)
      // A second use of a refresh token that rotates makes the issuer end the session of both tabs (RFC 9700).
      delete user.refresh_token
      await manager.storeUser(user)
      return heldOf(user)
    },
    async refresh() {
      const user = await manager.getUser()
      if (!user?.refresh_token) throw new IssuerRefusal('no_refresh_token')
      return heldOf(await unlessSignedOut(refreshed(manager, settings)))
    },
    signInHere: (returnPath) => asked(manager.signinRedirect({ state: returnPath, ...resourceOf(settings) })),
    async signInInPopup(signal) {
      // A window that is opened begins with a copy of this tab's storage.
      storage.setItem(popupKey, 'yes')
      const opened = manager.signinPopup({ popupSignal: signal, ...resourceOf(settings) })
      storage.removeItem(popupKey)
      return heldOf(await unlessSignedOut(asked(opened)))
    },
    async completeSignIn(url) {
      const isPopup = storage.getItem(popupKey) !== null || opener !== null
      if (isPopup && !(await beganHere(store, url))) {
        await manager.signinPopupCallback(url)
        return null
      }
      const user = await asked(manager.signinRedirectCallback(url))
      await isOnlyTab(storage)
      return { tokens: heldOf(user), returnPath: safeReturnPath(user.state) }
    },
    async exchangeCode(code) {
      // Neither `state` nor PKCE protects it: anyone with a code of their own could sign others in with it.
      if (await hasSignInPage()) throw new IssuerRefusal('links_not_taken')
      const endpoint = (await asked(manager.metadataService.getTokenEndpoint(false))) ?? ''
      const user = await unlessSignedOut(asked(userForCode({ endpoint, code, origin }, settings, manager)))
      await isOnlyTab(storage)
      return heldOf(user)
    },
    async signOut() {
      signOuts++
      await forget(manager)
      await endSession(manager)
    },
  }
}

function managerSettings(
  settings: UiSettings,
  origin: string,
  store: WebStorageStateStore,
): UserManagerSettings {
  const callback = `${origin}${patterns.signInCallback}`
  return {
    authority: settings.issuer,
    client_id: settings.clientId,
    scope: settings.scope,
    redirect_uri: callback,
    popup_redirect_uri: callback,
    post_logout_redirect_uri: `${origin}${patterns.signIn}`,
    // Their default is localStorage, which outlives the session.
    userStore: store,
    stateStore: store,
    // The session renews by itself; this would fall back to a frame, which the page forbids.
    automaticSilentRenew: false,
    monitorSession: false,
    requestTimeoutInSeconds: requestSecondsMax,
    silentRequestTimeoutInSeconds: requestSecondsMax,
    extraTokenParams: resourceOf(settings),
  }
}

/**
 * RFC 8707: names whom the token is for. Decision: only where the audience is an absolute URI, which the parameter
 * has to be; issuers with other audiences have them configured. Revisit when an issuer needs its own parameter.
 */
function resourceOf({ audience }: UiSettings): { resource?: string } {
  return /^[a-z][a-z0-9+.-]*:\S+$/i.test(audience) && !audience.includes('#') ? { resource: audience } : {}
}

/** A redirect leaves its state in this tab's storage; the state of a popup is in the one that opened it. */
async function beganHere(store: WebStorageStateStore, url: string): Promise<boolean> {
  const id = new URL(url).searchParams.get('state') ?? ''
  const state = await store.get(id)
  return state !== null && JSON.parse(state).request_type === 'si:r'
}

async function refreshed(manager: UserManager, settings: UiSettings): Promise<User> {
  const user = await asked(manager.signinSilent({ ...resourceOf(settings) }))
  if (user === null) throw new IssuerRefusal('no_refresh_token')
  return user
}

/** RFC 6749 section 4.1.3, with a code that no authorisation request of this page has led to. */
async function userForCode(
  { endpoint, code, origin }: { endpoint: string; code: string; origin: string },
  settings: UiSettings,
  manager: UserManager,
): Promise<User> {
  const response = await post(endpoint, {
    grant_type: 'authorization_code',
    code,
    client_id: settings.clientId,
    redirect_uri: `${origin}${patterns.signInCallback}`,
  })
  const answer: Partial<SigninResponse> = await response.json()
  if (!response.ok) throw new IssuerRefusal(answer.error ?? `http_${response.status}`)
  if (!answer.access_token) throw new IssuerSilence('The issuer gave no token.')
  const seconds = answer.expires_in
  const user = new User({
    access_token: answer.access_token,
    token_type: 'Bearer',
    profile: { sub: '', iss: settings.issuer, aud: settings.clientId, exp: 0, iat: 0 },
    ...(seconds === undefined ? {} : { expires_at: Math.floor(Date.now() / 1000) + Number(seconds) }),
    ...(answer.refresh_token ? { refresh_token: answer.refresh_token } : {}),
    ...(answer.id_token ? { id_token: answer.id_token } : {}),
    scope: answer.scope ?? settings.scope,
  })
  await manager.storeUser(user)
  return user
}

async function forget(manager: UserManager): Promise<void> {
  const user = await manager.getUser()
  // First of all: the next person must not find them, even if the issuer fails.
  await manager.removeUser()
  const { revocation_endpoint } = await metadataOf(manager)
  if (revocation_endpoint && user) await revoke(revocation_endpoint, user, manager)
}

async function endSession(manager: UserManager): Promise<void> {
  const { end_session_endpoint } = await metadataOf(manager)
  // Decision: without `id_token_hint`, so that no token is ever in an address; the provider may ask the person
  // to confirm. Revisit when RP-initiated logout has another place for it than the query.
  if (end_session_endpoint) await manager.signoutRedirect().catch(() => undefined)
}

/** Empty if the issuer does not answer: signing out continues without it. */
function metadataOf({ metadataService }: UserManager): Promise<Partial<OidcMetadata>> {
  return metadataService.getMetadata().catch(() => ({}))
}

/** RFC 7009 section 2.1, as well as can be: the tokens are forgotten here already. */
async function revoke(endpoint: string, user: User, { settings }: UserManager): Promise<void> {
  const tokens = { refresh_token: user.refresh_token, access_token: user.access_token }
  const asked = Object.entries(tokens).map(([hint, token]) =>
    token === undefined
      ? undefined
      : post(endpoint, { token, token_type_hint: hint, client_id: settings.client_id }).catch(
          () => undefined,
        ),
  )
  await Promise.all(asked)
}

function post(endpoint: string, parameters: Record<string, string>): Promise<Response> {
  return fetch(endpoint, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    credentials: 'omit',
    redirect: 'error',
    signal: AbortSignal.timeout(requestSecondsMax * 1000),
  })
}

/** `expires_in` is only recommended (RFC 6749 section 5.1); what the token says of itself stands in for it. */
function heldOf({ access_token, expires_at = endSeconds(access_token) ?? 0 }: User): HeldTokens {
  return { accessToken: access_token, expiresAtMs: expires_at * 1000 }
}

/** Turns the library's errors into ours. */
async function asked<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof IssuerRefusal || error instanceof IssuerSilence) throw error
    if (error instanceof ErrorResponse) throw new IssuerRefusal(error.error ?? 'unknown')
    if (error instanceof Error && /disposed window/i.test(error.message))
      throw new IssuerRefusal('popup_blocked')
    // What the library says when an answer belongs to no sign-in of this tab.
    if (error instanceof Error && /no matching state/i.test(error.message))
      throw new IssuerRefusal('state_unknown')
    throw new IssuerSilence(error instanceof Error ? error.message : 'unknown')
  }
}

const key = 'documents.tab'

/**
 * Whether this tab is the only one with its session storage. A tab that is duplicated gets a copy of it; a lock that
 * each tab holds while it lives tells the copy (https://www.w3.org/TR/web-locks/). Where there are no locks, it is
 * taken for the only one.
 */
export async function isOnlyTab(storage: Storage): Promise<boolean> {
  if (!navigator.locks) return true
  const held = await hold(storage.getItem(key) ?? named(storage))
  if (!held) await hold(named(storage))
  return held
}

/** Names whose locks this very tab holds. */
const ours = new Set<string>()

function named(storage: Storage): string {
  const name = `${key}.${crypto.randomUUID()}`
  storage.setItem(key, name)
  return name
}

function hold(name: string): Promise<boolean> {
  if (ours.has(name)) return Promise.resolve(true)
  return new Promise((resolve) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null)
      if (lock === null) return undefined
      ours.add(name)
      // Until the tab goes.
      return new Promise(() => undefined)
    })
  })
}
