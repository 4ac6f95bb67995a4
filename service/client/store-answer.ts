import { parseRetryAfter } from '../wire/retry-after.ts'
import { type CallIds, StoreError } from './errors.ts'
import { reasonOf } from './transport.ts'

/** An error of S3 is a few lines of XML; what is longer is some proxy's page. */
const errorBytesMax = 16 * 1024

/** The error for a store that answered something else than success; `body` is its text. */
export function storeRefusal(
  url: string,
  status: number,
  body: string,
  retryAfter: string | null,
  ids: CallIds,
): StoreError {
  // Only the code: the rest may repeat the request (S3 API, "REST error responses").
  const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(body)?.[1] ?? 'unknown'
  return new StoreError(new URL(url).origin, status, code, parseRetryAfter(retryAfter) ?? null, ids)
}

/** The error for a store that did not answer. */
export function storeSilence(url: string, error: unknown, ids: CallIds): StoreError {
  return new StoreError(new URL(url).origin, null, reasonOf(error), null, ids)
}

/** Reads the beginning of an error's body and lets go of the rest. */
export async function errorText(response: Response): Promise<string> {
  if (response.body === null) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    while (text.length < errorBytesMax) {
      const { done, value } = await reader.read()
      if (done) return text
      text += decoder.decode(value, { stream: true })
    }
  } catch {
    // Broken off: what is there has to do.
  }
  await reader.cancel().catch(() => undefined)
  return text
}
