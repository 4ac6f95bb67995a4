/**
 * The declared size of a request's body in bytes, `undefined` if it comes in chunks. The server has refused
 * malformed and contradictory framing before (RFC 9112 section 6.3).
 */
export function contentLength(request: Request): number | undefined {
  const header = request.headers.get('content-length')
  if (header !== null) return Number(header)
  return request.body === null ? 0 : undefined
}
