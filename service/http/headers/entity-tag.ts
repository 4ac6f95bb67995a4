import { formatEntityTag } from '../../wire/entity-tag.ts'
import { ProblemError } from '../problem.ts'

/** RFC 9110 section 8.8.3: an optional `W/` and an opaque quoted string. */
const listForm = /^[ \t]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")?[ \t]*(?:,|$)/

/**
 * Reads the list of `If-Match` or `If-None-Match` (RFC 9110 sections 13.1.1, 13.1.2).
 *
 * @returns entity tags with their quotes, `*`, or `undefined` without the header.
 * @throws {ProblemError} `request_invalid` for a list that is malformed: taking it for "none" would turn a
 *   guarded write into an unguarded one.
 */
export function parseEntityTags(name: string, header: string | null): readonly string[] | '*' | undefined {
  if (header === null) return undefined
  if (header.trim() === '*') return '*'
  const tags: string[] = []
  let rest = header
  while (rest.trim() !== '') {
    const match = listForm.exec(rest)
    if (!match) throw malformed(name)
    // RFC 9110 section 5.6.1.2: empty members are ignored.
    if (match[1] !== undefined) tags.push(match[1])
    rest = rest.slice(match[0].length)
  }
  if (tags.length === 0) throw malformed(name)
  return tags
}

/** Returns whether one of the tags matches by strong comparison (RFC 9110 section 8.8.3.2): a weak tag equals none. */
export function matchesStrongly(tags: readonly string[] | '*', etag: string): boolean {
  return tags === '*' || tags.includes(formatEntityTag(etag))
}

/** Returns whether one of the tags matches by weak comparison (RFC 9110 section 8.8.3.2): the `W/` does not count. */
export function matchesWeakly(tags: readonly string[] | '*', etag: string): boolean {
  return tags === '*' || tags.some((tag) => tag.replace(/^W\//, '') === formatEntityTag(etag))
}

/** Returns the opaque values of the strong ones among `tags`, without quotes. */
export function strongValues(tags: readonly string[]): string[] {
  return tags.filter((tag) => tag.startsWith('"')).map((tag) => tag.slice(1, -1))
}

/** Returns the opaque values of all `tags`, without quotes and `W/`. */
export function weakValues(tags: readonly string[]): string[] {
  return tags.map((tag) => tag.replace(/^W\//, '').slice(1, -1))
}

function malformed(name: string): ProblemError {
  return new ProblemError(
    'request_invalid',
    `${name} is not a list of entity tags such as "abc". Quote each of them.`,
  )
}
