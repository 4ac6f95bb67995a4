import { registerSecret } from '../secrets.ts'

/** Returns the link of the one line `ready <link>` that start prints. */
export function readyLink(printed: string): string {
  const [line, ...others] = printed.split('\n').filter((each) => each.startsWith('ready '))
  if (line === undefined || others.length > 0) throw new Error(`not one line with ready:\n${printed}`)
  return line.slice('ready '.length)
}

/**
 * Follows a sign-in link as the UI does: asks the service for the issuer, and the issuer for tokens.
 *
 * @returns the access token.
 * @throws {Error} with the error of the issuer if it refuses.
 */
export async function followLink(link: string): Promise<string> {
  const { origin, hash } = new URL(link)
  const { issuer, clientId } = await json(await fetch(`${origin}/ui-settings.json`))
  const headers = { origin }
  const metadata = await json(await fetch(`${issuer}/.well-known/openid-configuration`, { headers }))
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: clientId ?? '',
    code: hash.replace(/^#sign-in=/, ''),
    redirect_uri: `${origin}/sign-in/callback`,
  })
  const answer = await fetch(metadata.token_endpoint ?? '', { method: 'POST', body: form, headers })
  const { access_token, refresh_token, error } = await json(answer)
  if (answer.headers.get('access-control-allow-origin') !== origin)
    throw new Error('a browser may not read it')
  if (!access_token || !refresh_token) throw new Error(`refused: ${error}`)
  registerSecret(access_token)
  registerSecret(refresh_token)
  return access_token
}

async function json(response: Response): Promise<Record<string, string>> {
  return (await response.json()) as Record<string, string>
}
