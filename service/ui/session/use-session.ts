import { createContext, useContext, useSyncExternalStore } from 'react'
import type { Session, SessionState } from './session.ts'
import { type Principal, scopes } from './token-claims.ts'

export const SessionContext = createContext<Session | null>(null)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('There is no session around this component.')
  return session
}

export function useSessionState(): SessionState {
  const session = useSession()
  return useSyncExternalStore(session.subscribe, session.state)
}

/** Whoever is signed in; only for what is shown to somebody who is. */
export function usePrincipal(): Principal {
  const state = useSessionState()
  return 'principal' in state ? state.principal : nobody
}

const nobody: Principal = { subject: '', tenants: [], scopes: [] }

/** What the token allows, as far as the page can tell; the service decides. */
export function usePermissions(): { read: boolean; write: boolean; admin: boolean } {
  const { scopes: granted } = usePrincipal()
  return {
    read: granted.includes(scopes.read),
    write: granted.includes(scopes.write),
    admin: granted.includes(scopes.admin),
  }
}
