import type { S3Connections } from './connections.ts'
import { statusOf, toObjectStoreError } from './error.ts'
import { withRetries } from './retry.ts'

/** How one call through the SDK's client is made. */
export interface S3CallOptions {
  /** Method of the port, for errors. */
  operation: string
  signal?: AbortSignal | undefined
  /** HTTP statuses that are an answer (`null`) rather than a failure. */
  nullOn?: readonly number[]
  /** Zero for none: a streamed body takes as long as its sender does. */
  deadlineSeconds?: number
}

export type S3Call = <T>(
  options: S3CallOptions,
  send: (options: { abortSignal?: AbortSignal }, tries: number) => Promise<T>,
) => Promise<T | null>

/**
 * Calls that count against the connection limit, are repeated, end at one deadline for all tries, and fail as
 * the port says: with the signal's own reason, or with an {@link ObjectStoreError}.
 */
export function createS3Call(connections: S3Connections, answerSecondsMax: number): S3Call {
  return ({ operation, signal, nullOn = [], deadlineSeconds = answerSecondsMax }, send) => {
    return connections.use(operation, signal, async () => {
      const ended = signalOf(signal, deadlineSeconds)
      try {
        return await withRetries(async (tries) => {
          try {
            return await send(ended ? { abortSignal: ended } : {}, tries)
          } catch (error) {
            // The deadline leaves no time for another try.
            return ended?.aborted ? Promise.reject(error) : nullOr(error, operation, nullOn)
          }
        }, ended)
      } catch (error) {
        signal?.throwIfAborted()
        throw toObjectStoreError(operation, error)
      }
    })
  }
}

function signalOf(signal: AbortSignal | undefined, deadlineSeconds: number): AbortSignal | undefined {
  const signals = deadlineSeconds > 0 ? [AbortSignal.timeout(deadlineSeconds * 1000)] : []
  if (signal) signals.push(signal)
  return signals.length === 0 ? undefined : AbortSignal.any(signals)
}

/** @throws {ObjectStoreError} where the status is no answer. */
function nullOr(error: unknown, operation: string, nullOn: readonly number[]): null {
  const failure = toObjectStoreError(operation, error)
  // An absent bucket is a 404 too, but never the answer about a key.
  if (nullOn.includes(statusOf(error)) && failure.reason !== 'NoSuchBucket') return null
  throw failure
}
