import { StoreError } from './errors.ts'
import { isTransient, pause, pauseSeconds } from './retry.ts'
import type { TransferLimits } from './transfer-limits.ts'

/** The bytes of an answer from one position on. */
export interface BodyPart {
  body: ReadableStream<Uint8Array> | null
  /** Makes the error for the reader when the connection breaks. */
  failure: (error: unknown) => unknown
}

export interface ContinuedOptions {
  /** Of the body. */
  sizeBytes: number
  /** Opens the body again, without its first bytes; `null` if it cannot be had in parts. */
  reopen: (receivedBytes: number) => Promise<BodyPart | null>
  limits: Pick<TransferLimits, 'retrySecondsBase' | 'retrySecondsMax' | 'callAttemptsMax'>
  signal: AbortSignal | undefined
}

/** What is read like the reader of a stream. */
export interface ByteReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>
  cancel(reason: unknown): Promise<void>
}

/**
 * Reads a body to its end, over as many connections as it takes: one that breaks, such as when the reader was slower
 * than a proxy has patience, is followed by another one from the next byte on. Gives up after `callAttemptsMax`
 * connections in a row that brought no byte.
 *
 * @throws what `failure` makes of the last break, what `reopen` throws, the reason of the signal.
 */
export function continuedBody(first: BodyPart, options: ContinuedOptions): ByteReader {
  const { sizeBytes, reopen, limits, signal } = options
  let { failure } = first
  let reader = readerOf(first)
  let received = 0
  let isCancelled = false

  /** @throws `lost` if there is no other connection. */
  async function connectAgain(lost: unknown): Promise<void> {
    const next = await reopen(received)
    if (next === null) throw lost
    failure = next.failure
    reader = readerOf(next)
    if (isCancelled) await reader.cancel()
  }

  return {
    async read() {
      let lost: unknown = null
      for (let attempt = 1; ; attempt += 1) {
        try {
          if (lost !== null) await connectAgain(lost)
          const chunk = await reader.read().catch((error) => {
            throw failure(error)
          })
          received += chunk.value?.length ?? 0
          return chunk
        } catch (error) {
          const mayContinue = error !== lost && isBroken(error) && !signal?.aborted && !isCancelled
          if (!mayContinue || attempt >= limits.callAttemptsMax) throw error
          // Only the end of the answer was lost.
          if (received === sizeBytes) return { done: true }
          lost = error
          await pause(pauseSeconds(attempt, error, limits), signal)
        }
      }
    },
    async cancel(reason) {
      isCancelled = true
      await reader.cancel(reason)
    },
  }
}

function readerOf({ body }: BodyPart): ReadableStreamDefaultReader<Uint8Array> {
  return (body ?? new Blob([]).stream()).getReader()
}

/** Whether another connection may bring the rest. */
function isBroken(error: unknown): boolean {
  return isTransient(error) || error instanceof StoreError
}
