/** Entity tags in `ETag` (RFC 9110 section 8.8.3): an optional `W/` and an opaque quoted string. */

/** Returns the strong entity tag of an opaque value: the value in quotes. */
export function formatEntityTag(opaque: string): string {
  return `"${opaque}"`
}

/** Returns the opaque value of an `ETag` without quotes and `W/`, or `null` if it is absent or malformed. */
export function parseEntityTag(header: string | null): string | null {
  return /^(?:W\/)?"([^"]*)"$/.exec(header ?? '')?.[1] ?? null
}
