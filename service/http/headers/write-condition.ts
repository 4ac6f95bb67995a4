import type { TagCondition } from '../../documents/tag-condition.ts'
import { parseEntityTags, strongValues, weakValues } from './entity-tag.ts'

/**
 * Reads the preconditions of a write, `If-Match` and `If-None-Match` (RFC 9110 sections 13.1.1, 13.1.2).
 *
 * @returns `undefined` without either of them.
 * @throws {ProblemError} `request_invalid` for a malformed list.
 */
export function writeCondition(headers: Headers): TagCondition | undefined {
  const matching = parseEntityTags('If-Match', headers.get('if-match'))
  const others = parseEntityTags('If-None-Match', headers.get('if-none-match'))
  if (matching === undefined && others === undefined) return undefined
  return {
    // Compared strongly: of weak tags alone, none ever matches.
    ifMatch: Array.isArray(matching) ? strongValues(matching) : matching,
    // Compared weakly: the `W/` does not count.
    ifNoneMatch: Array.isArray(others) ? weakValues(others) : others,
  }
}
