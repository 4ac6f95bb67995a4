import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { FetchHttpHandler } from '@smithy/fetch-http-handler'
import { limits } from '../../limits.ts'
import { outboundOptions } from '../../outbound.ts'
import type { S3Connection } from './connection.ts'
import type { S3Connections } from './connections.ts'
import { statusOf, toObjectStoreError } from './errors.ts'

/** Address and credentials of a store; each call names its bucket. */
export type S3Endpoint = Omit<S3Connection, 'bucket' | 'connectionsMax'>

/**
 * Creates the AWS SDK client with every option that matters spelled out.
 *
 * @param attemptsMax tries of a call, for callers that do not repeat it themselves.
 */
export function createS3Client(
  connection: S3Endpoint,
  attemptsMax: number = limits.storeAttemptsMax,
): S3Client {
  return new S3Client({
    endpoint: connection.endpoint,
    region: connection.region,
    // Given here, so that the SDK never searches the environment, files or a metadata address.
    credentials: { accessKeyId: connection.accessKeyId, secretAccessKey: connection.secretAccessKey },
    forcePathStyle: connection.forcePathStyle,
    // The default sends aws-chunked trailers, which some stores refuse and one stored as content.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // The service verifies SHA-256 itself; the SDK's own check would buffer or fail on ranges.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The default handler is node:http, which takes no web stream and is slower on Bun.
    requestHandler: new FetchHttpHandler({
      // Zero is none: a time-out of the handler would cut long uploads. Callers bring signals instead.
      requestTimeout: 0,
      customFetch: fetchWith(fetchOptions(connection)),
    }),
    maxAttempts: attemptsMax,
    // Exponential back-off with jitter and a retry budget; `adaptive` would also throttle by itself.
    retryMode: 'standard',
    ...ofNoEnvironment,
    // A store that answers with a redirect to another host must not receive our signature.
    followRegionRedirects: false,
    // The SDK warns on the console about every streamed body that failed; our own log says it better.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  })
}

/**
 * What the SDK otherwise reads from `AWS_*` and `~/.aws/config`, set to its defaults: our own variables are the whole
 * configuration, and the SDK refuses some of the others next to an endpoint.
 */
const ofNoEnvironment = {
  useFipsEndpoint: false,
  useDualstackEndpoint: false,
  useArnRegion: false,
  disableMultiregionAccessPoints: false,
  disableS3ExpressSessionAuth: false,
  defaultsMode: 'standard',
  authSchemePreference: [],
  sigv4aSigningRegionSet: async () => undefined,
  userAgentAppId: async () => undefined,
} satisfies S3ClientConfig

/** Not the handler's `requestInit`: the Request made from it drops options that only Bun knows, such as `tls`. */
function fetchWith(options: BunFetchRequestInit): typeof fetch {
  const fetchRequest = (request: Parameters<typeof fetch>[0]) => fetch(request, options)
  return Object.assign(fetchRequest, { preconnect: fetch.preconnect })
}

/** Returns the options of every fetch to the store, for the SDK's handler and for our own requests alike. */
export function fetchOptions(
  connection: Pick<S3Connection, 'ca' | 'proxy'>,
): RequestInit & BunFetchRequestInit {
  return {
    ...outboundOptions(connection),
    // Bytes are stored as they are; a transparent decompression would change them.
    decompress: false,
  }
}

/** How one call through the SDK's client is made. */
export interface S3CallOptions {
  /** Method of the port, for errors. */
  operation: string
  /** The object, or the beginning of the keys, that the call is about. */
  key: string
  signal?: AbortSignal | undefined
  /** HTTP statuses that are an answer (`null`) rather than a failure. */
  nullOn?: readonly number[]
  /** Time for all tries together. */
  deadlineSeconds?: number
}

/** Makes one call; `send` receives the signal that ends it and the number of the try, from 1. */
export type S3Call = <T>(
  options: S3CallOptions,
  send: (options: { abortSignal: AbortSignal }, tries: number) => Promise<T>,
) => Promise<T | null>

/**
 * Returns a function for calls that count against the connection limit, are repeated, end at one deadline for all
 * tries, and fail as the port says: with the signal's own reason, or with an {@link ObjectStoreError}.
 */
export function createS3Call(connections: S3Connections, answerSecondsMax: number): S3Call {
  return ({ operation, key, signal, nullOn = [], deadlineSeconds = answerSecondsMax }, send) => {
    return connections.use({ operation, key, signal }, async () => {
      const deadline = AbortSignal.timeout(deadlineSeconds * 1000)
      const abortSignal = signal ? AbortSignal.any([deadline, signal]) : deadline
      try {
        return await connections.retries.run({ signal: abortSignal, deadlineSeconds }, async (attempt) => {
          try {
            return await send({ abortSignal }, attempt.number)
          } catch (error) {
            // The deadline leaves no time for another try.
            if (abortSignal.aborted) throw error
            const failure = toObjectStoreError(operation, error)
            // An absent bucket is a 404 too, but never the answer about a key.
            if (nullOn.includes(statusOf(error)) && failure.reason !== 'NoSuchBucket') return null
            throw failure
          }
        })
      } catch (error) {
        signal?.throwIfAborted()
        throw toObjectStoreError(operation, error)
      }
    })
  }
}
