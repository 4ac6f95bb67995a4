import { InvalidArgumentError } from 'commander'
import { isScope, scopes } from '../authz/principal.ts'
import { tenantPattern } from '../wire/names.ts'

/** Values of flags: each parser throws {@link InvalidArgumentError}, which commander reports with exit code 2. */

/** Returns a parser of whole numbers. @param what the noun of its message, such as `a number of seconds` */
export function integerIn(min: number, max: number, what = 'a whole number'): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`Give ${what} from ${min} to ${max}.`)
  }
}

/** Parses a TCP port. */
export const parsePort: (text: string) => number = integerIn(1, 65_535, 'a port')

/** Parses MiB per second, such as `32` or `0.5`. @returns bytes per second */
export function parseRate(text: string): number {
  if (/^\d{1,6}(\.\d{1,3})?$/.test(text) && Number(text) > 0) return Number(text) * 1024 * 1024
  throw new InvalidArgumentError('Give MiB per second, such as 32 or 0.5.')
}

/** Parses a time of RFC 3339 section 5.6; without an offset it would be a time of this machine. */
export function parseTime(text: string): Date {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? new Date(text) : null
  if (time && !Number.isNaN(time.getTime())) return time
  throw new InvalidArgumentError('Give a time such as 2026-11-03T14:00:00Z.')
}

/** Parses an origin: scheme, host and port only. */
export function parseOrigin(text: string): string {
  if (isOrigin(text)) return text
  throw new InvalidArgumentError('Give scheme, host and port only, such as https://ui.example.')
}

/** Tells whether `text` is an origin as browsers send it. */
export function isOrigin(text: string): boolean {
  return URL.parse(text)?.origin === text
}

/** Parses a tenant of a flag that can be repeated; the first one replaces the default of the flag. */
export function addTenant(tenant: string, before: string[] = []): string[] {
  if (new RegExp(tenantPattern).test(tenant)) return [...before, tenant]
  throw new InvalidArgumentError('A tenant is a DNS label: a-z, 0-9 and inner hyphens, at most 63.')
}

/** Parses scopes with spaces between them. */
export function parseScopes(list: string): string {
  const asked = list.split(' ').filter((scope) => scope !== '')
  if (asked.length > 0 && asked.every(isScope)) return asked.join(' ')
  throw new InvalidArgumentError(`Scopes are ${scopes.join(', ')}.`)
}
