/** What a token may be good for. Scopes hold for every tenant in the token (ARCHITECTURE.md, "Who may do what"). */
export const scopes = ['documents:read', 'documents:write', 'documents:admin'] as const

export type Scope = (typeof scopes)[number]

/** Who sends a request, according to a verified token. Nothing in it comes from the request itself. */
export interface Principal {
  /** `sub` of the token: 1–255 printable ASCII characters. */
  subject: string
  /** Tenants the token is for; empty means that every tenant is foreign. */
  tenants: ReadonlySet<string>
  scopes: ReadonlySet<Scope>
  /** `client_id` (RFC 9068 section 2.2) or `azp`, where the issuer names the client. */
  clientId?: string | undefined
}

const known: ReadonlySet<string> = new Set(scopes)

/** Returns whether `value` is a scope of this service. */
export function isScope(value: string): value is Scope {
  return known.has(value)
}

/**
 * Reads a space-separated scope list (RFC 6749 section 3.3). Scopes of other services are left out: one token
 * may serve several of them.
 */
export function parseScopes(list: string): Set<Scope> {
  return new Set(list.split(' ').filter(isScope))
}
