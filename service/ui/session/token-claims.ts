import { hasForm } from '../routes.ts'

/** What the page shows of the person who is signed in. Read from the token, not verified: the service decides. */
export interface Principal {
  subject: string
  /** In the token's order. */
  tenants: readonly string[]
  scopes: readonly string[]
}

export const scopes = { read: 'documents:read', write: 'documents:write', admin: 'documents:admin' } as const

/** Reads the payload of a JWT (RFC 7519 section 3); anything else is a person without tenants and scopes. */
export function principalOf(accessToken: string): Principal {
  const { sub, tenants, scope } = payloadOf(accessToken)
  return {
    subject: typeof sub === 'string' ? sub : '',
    tenants: Array.isArray(tenants) ? tenants.filter((tenant) => isTenant(tenant)) : [],
    scopes: typeof scope === 'string' ? scope.split(' ').filter((word) => word !== '') : [],
  }
}

/** Returns the seconds between the issue of a token and its end; `null` if the token does not say. */
export function lifetimeSeconds(accessToken: string): number | null {
  const { iat, exp } = payloadOf(accessToken)
  return typeof iat === 'number' && typeof exp === 'number' && exp > iat ? exp - iat : null
}

/** Returns when a token ends, in seconds since the epoch by the issuer's clock; `null` if it does not say. */
export function endSeconds(accessToken: string): number | null {
  const { exp } = payloadOf(accessToken)
  return typeof exp === 'number' ? exp : null
}

function isTenant(value: unknown): value is string {
  return typeof value === 'string' && hasForm('tenant', value)
}

function payloadOf(token: string): Record<string, unknown> {
  const part = token.split('.')[1] ?? ''
  try {
    const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
