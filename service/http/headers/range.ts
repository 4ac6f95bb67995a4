import type { ByteRange } from '../../documents/documents.ts'

/** RFC 9110 section 14.2: one range of bytes; positions beyond 15 digits are not exact in a number. */
const form = /^bytes=[ \t]*(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))[ \t]*$/i

/**
 * @returns the range, or `undefined` where the header is absent or to be ignored (RFC 9110 section 14.2 lets
 *   a server ignore what it does not support: other units, malformed ones, and several ranges at once).
 */
export function parseRange(header: string | null): ByteRange | undefined {
  const [matched, first, last, suffix] = form.exec(header ?? '') ?? []
  if (matched === undefined) return undefined
  if (suffix !== undefined) return { suffix: Number(suffix) }
  if (last === undefined) return { first: Number(first) }
  return Number(last) < Number(first) ? undefined : { first: Number(first), last: Number(last) }
}

/** RFC 9110 section 14.4. */
export function formatContentRange(range: { first: number; last: number }, size: number): string {
  return `bytes ${range.first}-${range.last}/${size}`
}
