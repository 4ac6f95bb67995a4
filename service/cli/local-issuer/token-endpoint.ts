import { localClientId } from './access-token.ts'
import type { GrantedTokens, RefusedGrant, TokenGrants } from './token-grants.ts'

/** RFC 6749 section 5.2. */
type TokenError = RefusedGrant | 'invalid_request' | 'invalid_client' | 'unsupported_grant_type'

/** Codes and refresh tokens are below 1 KiB. */
export const formBytesMax = 16 * 1024

/**
 * Answers a token request (RFC 6749 sections 4.1.3 and 6) of the only public client.
 *
 * Decision: a code comes without PKCE. There is no authorization request that a verifier could continue: the
 * code reaches its user on a terminal, is good once and for an hour, and the issuer listens on loopback alone.
 * Revisit if codes ever come back through a browser.
 *
 * @param isRedirectUri tells whether an address is that of the UI, to which codes are given.
 */
export async function answerTokenRequest(
  request: Request,
  grants: TokenGrants,
  isRedirectUri: (uri: string) => boolean,
): Promise<Response> {
  const form = await formOf(request)
  if (form === null) return refusal('invalid_request', 'Send each parameter once, as a form.')
  const { grant_type, client_id, code, redirect_uri, refresh_token, scope } = form
  if (client_id !== localClientId) return refusal('invalid_client', `The only client is ${localClientId}.`)
  if (grant_type === 'authorization_code') {
    if (code === undefined) return refusal('invalid_request', 'The code is missing.')
    if (redirect_uri === undefined || !isRedirectUri(redirect_uri)) {
      return refusal('invalid_grant', 'The redirect_uri is not that of the UI.')
    }
    return granted(
      await grants.redeem(code),
      'The link was used before, has expired, or is not from this issuer.',
    )
  }
  if (grant_type === 'refresh_token') {
    if (refresh_token === undefined) return refusal('invalid_request', 'The refresh token is missing.')
    return granted(await grants.refresh(refresh_token, scope), 'The session has ended.')
  }
  return refusal('unsupported_grant_type', 'Grants are authorization_code and refresh_token.')
}

/**
 * Answers a revocation request (RFC 7009 section 2). Access tokens stay valid: the service checks them
 * offline, and they expire soon.
 */
export async function answerRevocation(request: Request, grants: TokenGrants): Promise<Response> {
  const form = await formOf(request)
  if (form?.token === undefined) return refusal('invalid_request', 'Send the token, once, as a form.')
  if (form.client_id !== localClientId)
    return refusal('invalid_client', `The only client is ${localClientId}.`)
  grants.revoke(form.token)
  return new Response(null, { headers: noStore })
}

function granted(tokens: GrantedTokens | RefusedGrant, otherwise: string): Response {
  if (tokens === 'invalid_grant') return refusal(tokens, otherwise)
  if (tokens === 'invalid_scope') return refusal(tokens, 'None of the scopes was granted before.')
  return Response.json(tokens, { headers: noStore })
}

/** Section 5.1 of RFC 6749. */
const noStore = { 'cache-control': 'no-store' }

function refusal(error: TokenError, description: string): Response {
  return Response.json({ error, error_description: description }, { status: 400, headers: noStore })
}

/** Returns `null` for a body that is not a form or repeats a parameter (RFC 6749 section 3.2). */
async function formOf(request: Request): Promise<Record<string, string> | null> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return null
  const parameters = new URLSearchParams(await request.text())
  const names = [...parameters.keys()]
  return names.length === new Set(names).size ? Object.fromEntries(parameters) : null
}
