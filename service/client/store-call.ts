import { parseRetryAfter } from '../wire/retry-after.ts'
import { type CallIds, StoreError } from './errors.ts'
import type { TransferLimits } from './transfer-limits.ts'
import { reasonOf } from './transport.ts'

/** An error of S3 is a few lines of XML; longer answers are pages of a proxy. */
const errorBytesMax = 16 * 1024

/** Reads the refusal of a store and frees its connection; `url` is the signed URL, of which only the origin is kept. */
export async function storeRefusal(url: string, response: Response, ids: CallIds): Promise<StoreError> {
  // Only the code: the rest may repeat the request (S3 API, "REST error responses").
  const reason = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(await errorText(response))?.[1] ?? 'unknown'
  const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after')) ?? null
  return new StoreError(new URL(url).origin, { status: response.status, reason, retryAfterSeconds }, ids)
}

/** Returns the error for a store that gave no answer, or stalled. */
export function storeUnreachable(url: string, error: unknown, ids: CallIds): StoreError {
  const answer = { status: null, reason: reasonOf(error), retryAfterSeconds: null }
  return new StoreError(new URL(url).origin, answer, ids)
}

/** Reads the beginning of an error's body (at most 16 KiB of text) and cancels the rest. Never throws. */
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
    // The connection broke: what has been read has to suffice.
  }
  await reader.cancel().catch(() => undefined)
  return text
}

/** Ends a transfer that stalls: a store that cannot be reached may never say so. */
export interface IdleWatch {
  /** Aborted when the signal of the caller is, and when nothing moved for too long. */
  readonly signal: AbortSignal
  /** Whether it was this watch that aborted. */
  readonly stalled: boolean
  /** Reports that bytes moved; `complete` if the peer has all of them and may take longer to answer. */
  moved(complete: boolean): void
  /** Stops watching for stalls; the signal of the caller still counts. */
  relax(): void
  /** Stops watching and releases the signal of the caller. */
  stop(): void
}

/** Begins to watch one transfer, which counts as stalled after `storeIdleSecondsMax` without a byte. Call `stop` at its end. */
export function watchIdle(
  limits: Pick<TransferLimits, 'storeIdleSecondsMax' | 'storeAnswerSecondsMax'>,
  signal: AbortSignal | undefined,
): IdleWatch {
  const controller = new AbortController()
  let stalled = false
  const stall = () => {
    stalled = true
    controller.abort()
  }
  const abort = () => controller.abort()
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  let timer = setTimeout(stall, limits.storeIdleSecondsMax * 1000)
  return {
    signal: controller.signal,
    get stalled() {
      return stalled
    },
    moved(complete) {
      clearTimeout(timer)
      const seconds = complete ? limits.storeAnswerSecondsMax : limits.storeIdleSecondsMax
      timer = setTimeout(stall, seconds * 1000)
    },
    relax: () => clearTimeout(timer),
    stop() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    },
  }
}

/** Returns whether another try can help: no answer, 408, 429 or 5xx. Anything else needs a new ticket. */
export function isStoreTransient({ status, reason }: StoreError): boolean {
  if (status === null) return reason !== 'stalled'
  return status === 408 || status === 429 || status >= 500
}
