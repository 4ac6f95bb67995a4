import { type HeldTokens, type Issuer, IssuerRefusal, IssuerSilence } from './issuer.ts'
import { lifetimeSeconds, type Principal, principalOf } from './token-claims.ts'

export type SessionState =
  | { status: 'starting' }
  | { status: 'signed-out'; error: unknown }
  | { status: 'signed-in'; principal: Principal }
  /** The tokens cannot be renewed. The page stays, and what needs a token waits for one. */
  | { status: 'ended'; principal: Principal; error: unknown }

/** The session of the person who is signed in, for as long as this tab lives. */
export interface Session {
  state(): SessionState
  subscribe(listener: () => void): () => void

  /**
   * Resolves with a token that is still valid for a while, renewed if necessary. Waits while the session is ended, so
   * that running transfers survive until the person signs in again.
   *
   * @throws {SignedOutError} if no one is signed in, or someone else by now
   */
  accessToken(): Promise<string>

  /** The service did not accept this token: the next one is renewed first. */
  refuse(accessToken: string): void

  /** Starts with the tokens that the tab holds, or the code from the address bar. Never rejects; the state has the outcome. */
  start(code: string | null): Promise<void>

  /** Leaves for the issuer's page. @throws {IssuerSilence} */
  signIn(returnPath: string): Promise<void>

  /** Signs in at the issuer's page in a window of its own. @throws {IssuerRefusal | IssuerSilence} */
  signInAgain(signal: AbortSignal): Promise<void>

  /** Signs in with the code of a link. @throws {IssuerRefusal | IssuerSilence} */
  acceptLink(code: string): Promise<void>

  /** Takes over tokens that a redirect brought. */
  adopt(tokens: HeldTokens): void

  signOut(): Promise<void>
}

export class SignedOutError extends Error {
  override readonly name = 'SignedOutError'

  constructor() {
    super('You are signed out, or someone else has signed in.')
  }
}

/** Tokens are renewed this long before their end, at the latest when two thirds of their life are over. */
const aheadSecondsMax = 60
/** While the issuer does not answer and the token still lives. */
const retrySeconds = 5

/** Creates a session that has not started; renews tokens ahead of their end with the issuer. */
export function createSession(issuer: Issuer): Session {
  let state: SessionState = { status: 'starting' }
  let held: HeldTokens | null = null
  let aheadSeconds = 0
  let refused = false
  let renewal: Promise<void> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Grows when someone else signs in or the session is signed out: calls that waited since before fail. */
  let era = 0
  const listeners = new Set<() => void>()

  function become(next: SessionState): void {
    state = next
    for (const listener of listeners) listener()
  }

  function adopt(tokens: HeldTokens): void {
    const principal = principalOf(tokens.accessToken)
    if ('principal' in state && state.principal.subject !== principal.subject) era++
    held = tokens
    refused = false
    aheadSeconds = Math.min(aheadSecondsMax, (lifetimeSeconds(tokens.accessToken) ?? secondsLeft()) / 3)
    renewIn(secondsLeft() - aheadSeconds)
    become({ status: 'signed-in', principal })
  }

  function renewIn(seconds: number): void {
    clearTimeout(timer)
    // The longest wait that a timer has is 24 days; the next token is asked for earlier then.
    timer = setTimeout(() => void renewed(), Math.min(Math.max(seconds, 0) * 1000, 2 ** 31 - 1))
  }

  function secondsLeft(): number {
    return held === null ? 0 : (held.expiresAtMs - Date.now()) / 1000
  }

  /** One renewal at a time: a refresh token that rotates can be used once. */
  function renewed(): Promise<void> {
    renewal ??= renew().finally(() => {
      renewal = null
    })
    return renewal
  }

  async function renew(): Promise<void> {
    const before = era
    try {
      const tokens = await issuer.refresh()
      // If adopted, it would be renewed at once, and so on without end.
      if (tokens.expiresAtMs <= Date.now()) throw new IssuerSilence('The token is past its end.')
      if (before === era && 'principal' in state) adopt(tokens)
    } catch (error) {
      if (before !== era || state.status !== 'signed-in') return
      const isTransient = !(error instanceof IssuerRefusal) && secondsLeft() > 0 && !refused
      if (isTransient) return renewIn(Math.min(retrySeconds, secondsLeft()))
      clearTimeout(timer)
      become({ status: 'ended', principal: state.principal, error })
    }
  }

  function changed(): Promise<void> {
    return new Promise((resolve) => {
      const listener = () => {
        listeners.delete(listener)
        resolve()
      }
      listeners.add(listener)
    })
  }

  async function accessToken(): Promise<string> {
    const mine = era
    for (;;) {
      if (mine !== era || state.status === 'signed-out') throw new SignedOutError()
      if (state.status !== 'signed-in') {
        await changed()
        continue
      }
      if (held && !refused && secondsLeft() > aheadSeconds) return held.accessToken
      await renewed()
      // The issuer does not answer for now, and the token lives still.
      if (state.status === 'signed-in' && held && !refused && secondsLeft() > 0) return held.accessToken
    }
  }

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    accessToken,
    refuse(token) {
      if (held?.accessToken === token) refused = true
    },
    async start(code) {
      let error: unknown = null
      const brought = code === null ? null : issuer.exchangeCode(code)
      const fresh = await brought?.catch((reason) => {
        error = reason
        return null
      })
      const tokens = fresh ?? (await issuer.stored().catch(() => null))
      if (tokens === null) return become({ status: 'signed-out', error })
      adopt(tokens)
      if (secondsLeft() <= 0) await renewed()
    },
    signIn: (returnPath) => issuer.signInHere(returnPath),
    signInAgain: async (signal) => adopt(await issuer.signInInPopup(signal)),
    acceptLink: async (code) => adopt(await issuer.exchangeCode(code)),
    adopt,
    async signOut() {
      clearTimeout(timer)
      era++
      held = null
      become({ status: 'signed-out', error: null })
      await issuer.signOut()
    },
  }
}
