/** Names that a browser sets by itself and refuses from a page (Fetch standard, "forbidden request-header"). */
const ownOfBrowser: ReadonlySet<string> = new Set(['content-length', 'host'])

/** Statuses whose answers have no body, not even an empty one (Fetch standard, "null body status"). */
const withoutBody: ReadonlySet<number> = new Set([204, 205, 304])

/** Returns whether this runtime is a browser: a page or a worker. */
export function hasXhr(): boolean {
  return 'XMLHttpRequest' in globalThis
}

/**
 * `fetch` for uploads in a browser, where only XMLHttpRequest reports progress
 * (https://xhr.spec.whatwg.org/#dom-xmlhttprequest-upload). Its listeners make the browser ask another origin for
 * permission first, so that a store without CORS for this page refuses before the bytes are sent.
 *
 * A redirect cannot be refused beforehand: the browser follows it, without `Authorization` where it leads to
 * another origin (Fetch standard, "HTTP-redirect fetch"), and the answer counts as none.
 *
 * @param onBytes called with the bytes of the body sent so far
 * @throws {TypeError} if there was no answer; the reason of the signal if it was aborted
 */
export function fetchByXhr(
  url: string,
  { method = 'GET', headers, body, signal }: RequestInit,
  onBytes: (bytes: number) => void,
): Promise<Response> {
  const request = new XMLHttpRequest()
  request.open(method, url)
  for (const [name, value] of new Headers(headers)) {
    if (!ownOfBrowser.has(name)) request.setRequestHeader(name, value)
  }
  request.upload.onprogress = ({ loaded }) => onBytes(loaded)
  request.upload.onload = ({ loaded }) => onBytes(loaded)
  const abort = () => request.abort()
  signal?.addEventListener('abort', abort, { once: true })
  return new Promise<Response>((resolve, reject) => {
    request.onload = () => {
      if (wasRedirected(request.responseURL, url)) return reject(noAnswer('redirected'))
      resolve(responseOf(request))
    }
    request.onerror = () => reject(noAnswer('unknown'))
    request.onabort = () => reject(signal?.reason ?? noAnswer('aborted'))
    if (signal?.aborted) return reject(signal.reason)
    request.send(body as XMLHttpRequestBodyInit | null | undefined)
  }).finally(() => signal?.removeEventListener('abort', abort))
}

function responseOf(request: XMLHttpRequest): Response {
  const { status } = request
  const lines = request.getAllResponseHeaders().trim().split(/\r?\n/)
  const headers = lines.flatMap((line): [string, string][] => {
    const colon = line.indexOf(':')
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1).trim()]] : []
  })
  return new Response(withoutBody.has(status) ? null : request.responseText, { status, headers })
}

/** `responseURL` is empty where the runtime does not tell. */
function wasRedirected(answered: string, asked: string): boolean {
  return answered !== '' && answered !== new URL(asked).href
}

function noAnswer(code: string): TypeError {
  return Object.assign(new TypeError('There was no answer.'), { code })
}
