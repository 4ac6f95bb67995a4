import type { S3Connections } from './s3-connections.ts'
import { statusOf, toObjectStoreError } from './s3-error.ts'

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
  send: (options: { abortSignal?: AbortSignal }) => Promise<T>,
) => Promise<T | null>

/**
 * Calls that count against the connection limit, end at a deadline, and fail as the port says: with the
 * signal's own reason, or with an {@link ObjectStoreError}.
 */
export function createS3Call(connections: S3Connections, answerSecondsMax: number): S3Call {
  return async ({ operation, signal, nullOn = [], deadlineSeconds = answerSecondsMax }, send) => {
    const release = await connections.acquire(operation, signal)
    const signals = deadlineSeconds > 0 ? [AbortSignal.timeout(deadlineSeconds * 1000)] : []
    if (signal) signals.push(signal)
    try {
      return await send(signals.length === 0 ? {} : { abortSignal: AbortSignal.any(signals) })
    } catch (error) {
      signal?.throwIfAborted()
      const failure = toObjectStoreError(operation, error)
      // An absent bucket is a 404 too, but never the answer about a key.
      if (nullOn.includes(statusOf(error)) && failure.reason !== 'NoSuchBucket') return null
      throw failure
    } finally {
      release()
    }
  }
}
