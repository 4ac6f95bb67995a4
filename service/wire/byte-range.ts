/** `Range` and `Content-Range` in bytes (RFC 9110 sections 14.2 and 14.4). */

/** RFC 9110 section 14.1.2: first and last byte position (inclusive), or the last `suffix` bytes. */
export type ByteRange = { first: number; last?: number | undefined } | { suffix: number }

/** One range; positions beyond 15 digits are not exact in a number. */
const rangeForm = /^bytes=[ \t]*(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))[ \t]*$/i
const contentRangeForm = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/

/** Returns the value of `Range` for a range whose positions are whole numbers in order. */
export function formatRange(range: ByteRange): string {
  return 'suffix' in range ? `bytes=-${range.suffix}` : `bytes=${range.first}-${range.last ?? ''}`
}

/**
 * Reads the value of `Range`.
 *
 * @returns the range, or `undefined` where the header is absent or to be ignored (RFC 9110 section 14.2 lets
 *   a server ignore what it does not support: other units, malformed ones, and several ranges at once).
 */
export function parseRange(header: string | null): ByteRange | undefined {
  const [matched, first, last, suffix] = rangeForm.exec(header ?? '') ?? []
  if (matched === undefined) return undefined
  if (suffix !== undefined) return { suffix: Number(suffix) }
  if (last === undefined) return { first: Number(first) }
  return Number(last) < Number(first) ? undefined : { first: Number(first), last: Number(last) }
}

/** Returns the value of `Content-Range` for inclusive positions within a representation of `size` bytes. */
export function formatContentRange(range: { first: number; last: number }, size: number): string {
  return `bytes ${range.first}-${range.last}/${size}`
}

/** Reads `Content-Range: bytes first-last/size`; returns `null` for any other form. */
export function parseContentRange(
  header: string | null,
): { first: number; last: number; size: number } | null {
  const [, first, last, size] = contentRangeForm.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || size === undefined) return null
  const range = { first: Number(first), last: Number(last), size: Number(size) }
  return range.first <= range.last && range.last < range.size ? range : null
}
