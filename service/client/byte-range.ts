import { ArgumentError } from './errors.ts'

/** RFC 9110 section 14.1.2: first and last byte position (inclusive), or the last `suffix` bytes. */
export type ByteRange = { first: number; last?: number } | { suffix: number }

/** The value of a `Range` header. @throws {ArgumentError} for positions that are no range */
export function formatRange(range: ByteRange): string {
  if ('suffix' in range) return `bytes=-${position('suffix', range.suffix)}`
  const first = position('first', range.first)
  if (range.last === undefined) return `bytes=${first}-`
  if (range.last < first) throw new ArgumentError('range: last is before first')
  return `bytes=${first}-${position('last', range.last)}`
}

/** Reads `Content-Range: bytes first-last/size` (RFC 9110 section 14.4); `null` for any other form. */
export function parseContentRange(
  header: string | null,
): { first: number; last: number; size: number } | null {
  const [, first, last, size] = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || size === undefined) return null
  const range = { first: Number(first), last: Number(last), size: Number(size) }
  return range.first <= range.last && range.last < range.size ? range : null
}

function position(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new ArgumentError(`range: ${name} is not a position in bytes`)
  return value
}
