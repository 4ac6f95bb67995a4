import type { Principal, Scope } from './principal.ts'

/**
 * Every action of the API and the one scope it needs. An action that is not in this table is denied, and no
 * scope implies another: `documents:admin` alone can delete a version, but neither read nor write one (see
 * README.md, "No scope implies another").
 */
export const neededScopes = {
  'document.list': 'documents:read',
  'document.read': 'documents:read',
  'document.put': 'documents:write',
  'type.list': 'documents:read',
  'name.list': 'documents:read',
  'usage.read': 'documents:read',
  'version.list': 'documents:read',
  'version.read': 'documents:read',
  'version.have': 'documents:write',
  'version.delete': 'documents:admin',
  'tag.list': 'documents:read',
  'tag.read': 'documents:read',
  'tag.put': 'documents:write',
  'tag.delete': 'documents:write',
  'history.read': 'documents:admin',
  'upload.create': 'documents:write',
  'upload.complete': 'documents:write',
  'download.create': 'documents:read',
  'archive.read': 'documents:read',
  'archive.create': 'documents:read',
} as const satisfies Record<string, Scope>

export type Action = keyof typeof neededScopes

export interface AccessRequest {
  tenant: string
  action: Action
}

/** `rule` is the stable name, for the audit line, of what decided. */
export type Decision =
  | { allowed: true; rule: string }
  | { allowed: false; reason: 'foreign_tenant'; rule: string }
  | { allowed: false; reason: 'missing_scope'; rule: string; neededScope?: Scope }

/**
 * Decides whether `principal` may do `action` in `tenant`. Pure, deny by default. The tenant comes before the
 * scope, so that a caller learns nothing about a foreign tenant, not even which scope it would take.
 */
export function decide(principal: Principal, { tenant, action }: AccessRequest): Decision {
  if (!principal.tenants.has(tenant)) {
    return { allowed: false, reason: 'foreign_tenant', rule: 'tenant-in-token' }
  }
  const neededScope = scopeFor(action)
  if (neededScope === undefined) {
    return { allowed: false, reason: 'missing_scope', rule: 'deny-by-default' }
  }
  const rule = `scope:${neededScope}`
  return principal.scopes.has(neededScope)
    ? { allowed: true, rule }
    : { allowed: false, reason: 'missing_scope', rule, neededScope }
}

function scopeFor(action: string): Scope | undefined {
  return Object.hasOwn(neededScopes, action) ? neededScopes[action as Action] : undefined
}
