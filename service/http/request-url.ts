import { noSuchRoute, ProblemError } from './problem.ts'

/** RFC 9110 section 7.2, RFC 3986 section 3.2.2: a registered name or an address, and perhaps a port. */
const hostForm = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/

/**
 * Returns the request as Elysia can read it, which looks for the path behind a host. A request without `Host` is one
 * of HTTP/1.0 (Bun refuses it of later versions), and Bun leaves its URL relative: plain health checks still send
 * those, and get to the public pages.
 */
export function withHost(request: Request): Request {
  const url = absoluteUrl(request)
  return url === request.url ? request : new Request(url, request)
}

/**
 * Returns the URL of a request. Bun builds `request.url` from `Host` and leaves it relative, or unresolved, where
 * that names no host; two readers of such a text may see two different paths in it.
 *
 * @throws {ProblemError} `host_invalid` (RFC 9112 section 3.2: 400), `route_not_found` for one with a fragment
 */
export function requestUrl(request: Request): URL {
  const host = request.headers.get('host')
  const url = URL.parse(absoluteUrl(request))
  if (!url || (host === null ? isApi(url.pathname) : !hostForm.test(host))) {
    throw new ProblemError('host_invalid', 'Send one Host header with the host that you connect to.')
  }
  // RFC 9112 section 3.2 knows no fragment here; `URL` cuts it off, Elysia takes it for a part of the path.
  if (request.url.includes('#')) throw noSuchRoute()
  return url
}

function absoluteUrl({ url, headers }: Request): string {
  return url.startsWith('/') && !headers.has('host') ? `http://localhost${url}` : url
}

function isApi(pathname: string): boolean {
  return pathname === '/v1' || pathname.startsWith('/v1/')
}
