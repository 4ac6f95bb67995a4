import { digestPattern, namePattern, tagPattern, tenantPattern, typePattern } from '../wire/names.ts'

/** Addresses of the UI. Every view has one, so that it can be linked to and returned to. */

/** Patterns as the router takes them. */
export const patterns = {
  home: '/',
  tenant: '/tenants/:tenant',
  list: '/tenants/:tenant/:type',
  /** No document has such a name: names begin with a letter or digit. */
  rollout: '/tenants/:tenant/:type/_rollout',
  document: '/tenants/:tenant/:type/:name',
  history: '/tenants/:tenant/:type/:name/history',
  signIn: '/sign-in',
  signInCallback: '/sign-in/callback',
} as const

/** Returns the address of a tenant. */
export function tenantPath(tenant: string): string {
  return `/tenants/${tenant}`
}

/** Returns the address of the list of one type. */
export function listPath(tenant: string, type: string): string {
  return `${tenantPath(tenant)}/${type}`
}

/** Returns the address of the page that compares where the tags of a type point. */
export function rolloutPath(tenant: string, type: string): string {
  return `${listPath(tenant, type)}/_rollout`
}

/** Returns the address of a document. @param version selects one version, `sha256:…` */
export function documentPath(tenant: string, type: string, name: string, version?: string): string {
  const path = `${listPath(tenant, type)}/${name}`
  return version === undefined ? path : `${path}?${new URLSearchParams({ version })}`
}

/** Returns the address of the history of a document's tags. @param tag selects one */
export function historyPath(tenant: string, type: string, name: string, tag?: string): string {
  const path = `${documentPath(tenant, type, name)}/history`
  return tag === undefined ? path : `${path}?${new URLSearchParams({ tag })}`
}

const forms = {
  tenant: new RegExp(tenantPattern),
  type: new RegExp(typePattern),
  name: new RegExp(namePattern),
  digest: new RegExp(digestPattern),
  tag: new RegExp(tagPattern),
}

/** Returns whether a part of an address has the form of its noun; others are never sent to the service. */
export function hasForm(noun: keyof typeof forms, value: string): boolean {
  return forms[noun].test(value)
}

/**
 * Returns where to continue after signing in: an address of the UI, otherwise the start page. Never another origin.
 */
export function safeReturnPath(value: unknown): string {
  if (typeof value !== 'string' || !/^\/(?![/\\])/.test(value)) return patterns.home
  return value.startsWith(patterns.signIn) ? patterns.home : value
}
