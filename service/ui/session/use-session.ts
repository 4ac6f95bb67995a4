import { createContext, useContext, useSyncExternalStore } from 'react'
import type { Session, SessionState } from './session.ts'
import { type Principal, scopes } from './token-claims.ts'

export const SessionContext = createContext<Session | null>(null)

/** Returns the session of the surrounding context. @throws {Error} outside of it */
export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('This component has no SessionContext around it.')
  return session
}

/** Returns the state of the session, and renders again when it changes. */
export function useSessionState(): SessionState {
  const session = useSession()
  return useSyncExternalStore(session.subscribe, session.state)
}

/** Returns the person who is signed in; for components that are shown to such a person only. */
export function usePrincipal(): Principal {
  const state = useSessionState()
  return 'principal' in state ? state.principal : noPrincipal
}

const noPrincipal: Principal = { subject: '', tenants: [], scopes: [] }

/** Returns what the token allows, as far as the page can tell; the service decides. */
export function usePermissions(): { read: boolean; write: boolean; admin: boolean } {
  const { scopes: granted } = usePrincipal()
  return {
    read: granted.includes(scopes.read),
    write: granted.includes(scopes.write),
    admin: granted.includes(scopes.admin),
  }
}
