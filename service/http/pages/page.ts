import { createHash } from 'node:crypto'
import { formatEntityTag } from '../../wire/entity-tag.ts'
import { matchesWeakly, parseEntityTags } from '../headers/entity-tag.ts'

/** A page that needs no token, answered to GET and HEAD alike. */
export interface PublicPage {
  /** As Elysia writes addresses: with `:parameter` segments, or a `*` at the end. */
  path: string
  /** What logs, traces and metrics call the address; default: `path`. */
  route?: string
  /** @param pathname of the request's URL. */
  answer(request: Request, pathname: string): Response | Promise<Response>
}

/**
 * Headers of pages that need nothing but our own style sheet: no script, no frame, no form, no other origin. The Control UI
 * holds tokens on this origin, so nothing that documents the API may run code here.
 */
export const pageHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
} as const

/**
 * Returns the handler of a page whose text never changes while the service runs. The client may keep it, and asks
 * whether it is still the same (RFC 9110 section 13.1.2). The entity tag covers `headers` too, since a client keeps
 * them with the text.
 */
export function fixedPage(
  contentType: string,
  text: string,
  headers: Readonly<Record<string, string>> = pageHeaders,
): (request: Request) => Response {
  const etag = createHash('sha256').update(JSON.stringify(headers)).update(text).digest('base64url')
  const body = new TextEncoder().encode(text)
  const held = { etag: formatEntityTag(etag), 'cache-control': 'no-cache' }
  return (request) => {
    const holds = parseEntityTags('If-None-Match', request.headers.get('if-none-match'))
    if (holds && matchesWeakly(holds, etag)) return new Response(null, { status: 304, headers: held })
    return new Response(body, { headers: { ...held, ...headers, 'content-type': contentType } })
  }
}
