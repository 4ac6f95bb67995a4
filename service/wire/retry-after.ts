/**
 * Reads `Retry-After` (RFC 9110 section 10.2.3), a number of seconds or an HTTP date.
 *
 * @param nowMs milliseconds since the epoch that a date is compared with.
 * @returns whole seconds from `nowMs`, 0 for a date that is over; `undefined` if the header is absent or neither.
 */
export function parseRetryAfter(header: string | null | undefined, nowMs = Date.now()): number | undefined {
  if (header === null || header === undefined) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - nowMs) / 1000))
}
