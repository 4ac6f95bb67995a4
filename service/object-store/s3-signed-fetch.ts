import { limits } from '../limits.ts'
import { ObjectStoreError } from './object-store.ts'
import { fetchOptions } from './s3-client.ts'
import { deadlinesOf, type S3Connection } from './s3-connection.ts'
import { codeOfStatus } from './s3-error.ts'
import { createRequestSigner, emptySha256 } from './s3-request-signer.ts'

/**
 * Decision: reads that clients wait for (GetObject, ListObjectsV2) go through the SDK's signer and Bun's
 * fetch, without the SDK's client. Measured on 2 cores against MinIO: 4 KiB GETs 6,900/s against 2,700/s,
 * lists of 1,000 keys 93/s against 56/s (the store's own time is most of it). Everything else keeps the
 * client. Revisit when the client's GetObject comes within a fifth of this.
 */
export interface SignedFetch {
  /**
   * One GET of an object (`key`) or of the bucket (`key` null), with retries of what may succeed later.
   *
   * @returns the response whose status is 200, 206 or 404; its body is the caller's to read or cancel.
   * @throws {ObjectStoreError} for every other answer, and for none.
   */
  get(request: SignedGet): Promise<Response>
}

export interface SignedGet {
  /** The port's method, for errors. */
  operation: string
  key: string | null
  query?: Record<string, string>
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
}

export function createSignedFetch(connection: S3Connection): SignedFetch {
  const sign = createRequestSigner(connection)
  const options = fetchOptions(connection)
  const { answerSecondsMax } = deadlinesOf(connection)

  async function attempt(request: SignedGet): Promise<Response> {
    const { url, headers } = await sign({ ...request, method: 'GET', payloadSha256: emptySha256 })
    const answer = new AbortController()
    const timer = setTimeout(() => answer.abort(), answerSecondsMax * 1000)
    const signals = request.signal ? [request.signal, answer.signal] : [answer.signal]
    try {
      return await fetch(url, {
        ...options,
        headers: { ...headers, 'accept-encoding': 'identity' },
        signal: AbortSignal.any(signals),
      })
    } catch (error) {
      request.signal?.throwIfAborted()
      throw new ObjectStoreError('unavailable', request.operation, transportReason(error, answer.signal))
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    async get(request) {
      for (let tries = 1; ; tries += 1) {
        try {
          const response = await attempt(request)
          if (response.status === 200 || response.status === 206 || response.status === 404) return response
          throw await refusal(request.operation, response)
        } catch (error) {
          const retry = error instanceof ObjectStoreError && error.code === 'unavailable'
          if (!retry || tries >= limits.storeAttemptsMax) throw error
          await backOff(tries, request.signal)
        }
      }
    },
  }
}

/** Full jitter (up to 100 ms, 200 ms, …): replicas that were refused together do not come back together. */
async function backOff(tries: number, signal: AbortSignal | undefined): Promise<void> {
  await Bun.sleep(Math.random() * 50 * 2 ** tries)
  signal?.throwIfAborted()
}

async function refusal(operation: string, response: Response): Promise<ObjectStoreError> {
  // Error bodies are a few hundred bytes; overload may answer with a page of HTML, which says nothing.
  const text = await response.text().catch(() => '')
  const code = /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1]
  return new ObjectStoreError(codeOfStatus(response.status), operation, code ?? `Status${response.status}`)
}

function transportReason(error: unknown, timeout: AbortSignal): string {
  if (timeout.aborted) return 'TimedOut'
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' && /^[A-Za-z_]{1,64}$/.test(code) ? code : 'NoAnswer'
}
