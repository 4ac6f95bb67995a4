/** `X-Correlation-Id`: the caller's own name for one request, carried through our log and back. */

const form = /^[A-Za-z0-9._:-]{1,128}$/

/**
 * Returns the caller's correlation id if it is 1–128 characters of `A-Z a-z 0-9 . _ : -`, otherwise a new UUID: other
 * values are replaced and not echoed, so they can forge neither a header nor a log line.
 */
export function correlationIdFrom(header: string | null): string {
  return header !== null && form.test(header) ? header : crypto.randomUUID()
}
