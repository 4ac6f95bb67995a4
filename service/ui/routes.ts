import { digestPattern, namePattern, tenantPattern, typePattern } from '../wire/names.ts'

/** Addresses of the UI. Every view has one, so that it can be linked to and returned to. */

/** Patterns as the router takes them. */
export const patterns = {
  home: '/',
  tenant: '/tenants/:tenant',
  list: '/tenants/:tenant/:type',
  document: '/tenants/:tenant/:type/:name',
  signIn: '/sign-in',
  signInCallback: '/sign-in/callback',
} as const

export function tenantPath(tenant: string): string {
  return `/tenants/${tenant}`
}

export function listPath(tenant: string, type: string): string {
  return `${tenantPath(tenant)}/${type}`
}

/** @param version selects one version, `sha256:…` */
export function documentPath(tenant: string, type: string, name: string, version?: string): string {
  const path = `${listPath(tenant, type)}/${name}`
  return version === undefined ? path : `${path}?${new URLSearchParams({ version })}`
}

const forms = {
  tenant: new RegExp(tenantPattern),
  type: new RegExp(typePattern),
  name: new RegExp(namePattern),
  digest: new RegExp(digestPattern),
}

/** Whether a part of an address can be what it stands for; what cannot is never sent to the service. */
export function hasForm(noun: keyof typeof forms, value: string): boolean {
  return forms[noun].test(value)
}

/**
 * Where to go on after signing in: an address of ours, or the beginning. Never another origin, whatever was stored.
 */
export function safeReturnPath(value: unknown): string {
  if (typeof value !== 'string' || !/^\/(?![/\\])/.test(value)) return patterns.home
  return value.startsWith(patterns.signIn) ? patterns.home : value
}
