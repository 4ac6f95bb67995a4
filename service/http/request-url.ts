import { noSuchRoute, ProblemError } from './problem.ts'

/** RFC 9110 section 7.2, RFC 3986 section 3.2.2: a registered name or an address, and perhaps a port. */
const hostForm = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/

/**
 * The address of a request. Bun builds `request.url` from `Host` and leaves it relative, or unresolved, where
 * that names no host; two readers of such a text may see two different paths in it.
 *
 * A request without `Host` is one of HTTP/1.0 (Bun refuses it of later versions): plain health checks still
 * send those, and get to the public pages.
 *
 * @throws {ProblemError} `host_invalid` (RFC 9112 section 3.2: 400), `route_not_found` for one with a fragment
 */
export function requestUrl(request: Request): URL {
  const host = request.headers.get('host')
  const url = host === null ? URL.parse(`http://localhost${request.url}`) : URL.parse(request.url)
  if (!url || (host !== null && !hostForm.test(host))) throw hostInvalid()
  if (host === null && isApi(url.pathname)) throw hostInvalid()
  // RFC 9112 section 3.2 knows no fragment here; `URL` cuts it off, Elysia takes it for a part of the path.
  if (request.url.includes('#')) throw noSuchRoute()
  return url
}

export function isApi(pathname: string): boolean {
  return pathname === '/v1' || pathname.startsWith('/v1/')
}

function hostInvalid(): ProblemError {
  return new ProblemError('host_invalid', 'Send one Host header with the host that you connect to.')
}
