import type { CallIds } from './errors.ts'
import { storeRefusal, storeSilence } from './store-answer.ts'

export interface XhrUpload {
  url: string
  method: 'POST' | 'PUT'
  headers: Readonly<Record<string, string>>
  body: Blob
  ids: CallIds
  /** Told the bytes of the body that were sent. */
  onBytes: (bytes: number) => void
  signal: AbortSignal
}

/** Names that a browser sets by itself and refuses from a page (Fetch standard, "forbidden request-header"). */
const ownOfBrowser: ReadonlySet<string> = new Set(['content-length', 'host'])

/**
 * Uploads in a browser, where only XMLHttpRequest tells how far an upload is
 * (https://xhr.spec.whatwg.org/#dom-xmlhttprequest-upload). Its listeners make the browser ask the store for
 * permission first, so that a store without CORS for this page refuses before the bytes are sent.
 *
 * @throws {StoreError}
 */
export function sendByXhr({ url, method, headers, body, ids, onBytes, signal }: XhrUpload): Promise<void> {
  const request = new XMLHttpRequest()
  request.open(method, url)
  for (const [name, value] of Object.entries(headers)) {
    if (!ownOfBrowser.has(name.toLowerCase())) request.setRequestHeader(name, value)
  }
  request.upload.onprogress = ({ loaded }) => onBytes(loaded)
  request.upload.onload = () => onBytes(body.size)
  const abort = () => request.abort()
  signal.addEventListener('abort', abort, { once: true })
  return new Promise<void>((resolve, reject) => {
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) return resolve()
      const retryAfter = request.getResponseHeader('retry-after')
      reject(storeRefusal(url, request.status, request.responseText, retryAfter, ids))
    }
    request.onerror = () => reject(storeSilence(url, null, ids))
    request.onabort = () => reject(storeSilence(url, { code: 'aborted' }, ids))
    request.send(body)
  }).finally(() => signal.removeEventListener('abort', abort))
}
