/**
 * Returns the declared size of a request's body in bytes, `undefined` if it comes in chunks. The server has refused
 * malformed and contradictory framing before (RFC 9112 section 6.3).
 */
export function contentLength(request: Request): number | undefined {
  const header = request.headers.get('content-length')
  // Section 8.6 of RFC 9110: the same length said twice counts once; the headers come joined by a comma.
  if (header !== null) return Number(header.split(',', 1)[0])
  return request.body === null ? 0 : undefined
}
