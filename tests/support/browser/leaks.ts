import type { Recording, SeenExchange } from './browser-recording.ts'
import type { StoredByOrigin } from './browser-storage.ts'

/** All that a browser has seen, sent and kept. */
export interface BrowserTraces {
  recording: Pick<Recording, 'exchanges'>
  /** Of Chromium's own log, sockets included where they were logged. */
  netLogText: string
  stored: readonly StoredByOrigin[]
}

/**
 * Every place where a secret stands, as it is or in an encoding, as `secret 2 (after its position): where`. The
 * secret is not repeated.
 *
 * @throws {Error} if there is nothing to search, or nothing to search for: then it would prove nothing.
 */
export function findSecrets(traces: BrowserTraces, secrets: readonly (string | Uint8Array)[]): string[] {
  const texts = textsOf(traces)
  if (secrets.length === 0 || texts.length < 2) throw new Error('nothing to search, or nothing to search for')
  return secrets.flatMap((secret, index) =>
    texts
      .filter(({ text }) => formsOf(secret).some((form) => text.includes(form)))
      .map(({ where }) => `secret ${index + 1}: ${where}`),
  )
}

/**
 * Every place where the access key id stands outside of a credential scope (SigV4: `<id>/<date>/<region>/s3/…`),
 * in which signed requests have to name it. The policy of a signed form names the scope once more, in base64.
 */
export function findAccessKeyId(traces: BrowserTraces, accessKeyId: string): string[] {
  const scope = new RegExp(`${accessKeyId}(/|%2F|\\\\/)\\d{8}(/|%2F|\\\\/)[a-z0-9-]+(/|%2F|\\\\/)s3`, 'gi')
  return textsOf(traces)
    .filter(({ text }) => text.replaceAll(scope, '').includes(accessKeyId))
    .map(({ where }) => where)
}

/** Access and refresh tokens, by what carried them: `Authorization` headers and answers of token endpoints. */
export function tokensIn({ exchanges }: Pick<Recording, 'exchanges'>): string[] {
  const given = exchanges.flatMap(({ answerBody = '' }) =>
    Array.from(
      answerBody.matchAll(/"(?:access|refresh|id)_token":\s*"([^"]+)"/g),
      ([, token]) => token ?? '',
    ),
  )
  const sent = exchanges.map(({ headers }) => /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '')
  return [...new Set([...given, ...sent])].filter((token) => token !== '')
}

/** The URLs that carry one of the tokens, whole or its signature. */
export function urlsWith(tokens: readonly string[], urls: readonly string[]): string[] {
  const parts = tokens.map((token) => token.split('.').at(-1) ?? token)
  return urls.filter((url) => parts.some((part) => url.includes(part)))
}

function textsOf({ recording, netLogText, stored }: BrowserTraces): { where: string; text: string }[] {
  return [
    ...recording.exchanges.map((exchange) => ({
      where: `${exchange.method} ${exchange.url}`,
      text: textOf(exchange),
    })),
    { where: 'the log of the browser', text: netLogText },
    ...stored.map((each) => ({ where: `what ${each.origin} stored`, text: JSON.stringify(each) })),
  ]
}

function textOf({ url, headers, body, answerHeaders, answerBody }: SeenExchange): string {
  const heads = [headers, answerHeaders ?? {}].flatMap((each) => Object.entries(each).flat())
  return [url, ...heads, body ?? '', answerBody ?? ''].join('\n')
}

function formsOf(secret: string | Uint8Array): string[] {
  const bytes = Buffer.from(secret)
  const encoded = [
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ]
  return typeof secret === 'string' ? [secret, encodeURIComponent(secret), ...encoded] : encoded
}
