/**
 * Returns how many seconds the caller prefers to wait for an answer: `wait` of `Prefer` (RFC 7240 sections 2 and 4.3).
 * Preferences that are malformed, or not known, are ignored, as section 2 asks; of several, the first one counts.
 */
export function preferredWaitSeconds(headers: Headers): number | undefined {
  for (const preference of headers.get('prefer')?.split(',') ?? []) {
    const match = waitForm.exec(preference)
    if (match) return Number(match[1])
  }
  return undefined
}

/** The value may be quoted, and parameters may follow it. */
const waitForm = /^[ \t]*wait[ \t]*=[ \t]*"?(\d{1,9})"?[ \t]*(?:;|$)/i
