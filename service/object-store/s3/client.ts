import { S3Client } from '@aws-sdk/client-s3'
import { FetchHttpHandler } from '@smithy/fetch-http-handler'
import { limits } from '../../limits.ts'
import type { S3Connection } from './connection.ts'

/** Where the store is and who we are there; the bucket is said with each call. */
export type S3Endpoint = Omit<S3Connection, 'bucket' | 'connectionsMax'>

/**
 * The AWS SDK client with every option that matters spelled out.
 *
 * @param attemptsMax tries of a call, for callers that do not repeat by themselves (s3-retry.ts).
 */
export function createS3Client(
  connection: S3Endpoint,
  attemptsMax: number = limits.storeAttemptsMax,
): S3Client {
  return new S3Client({
    endpoint: connection.endpoint,
    region: connection.region,
    // Given here, so that the SDK never goes looking in the environment, in files or at a metadata address.
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
    // A store that answers with a redirect to another host must not receive our signature.
    followRegionRedirects: false,
    // The SDK warns on the console about every streamed body that failed; our own log says it better.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  })
}

/** Not the handler's `requestInit`: the Request that it makes of that forgets what only Bun knows, such as `tls`. */
function fetchWith(options: BunFetchRequestInit): typeof fetch {
  const fetchRequest = (request: Parameters<typeof fetch>[0]) => fetch(request, options)
  return Object.assign(fetchRequest, { preconnect: fetch.preconnect })
}

/** Options of every fetch to the store, for the SDK's handler and for {@link createSignedFetch} alike. */
export function fetchOptions(connection: Pick<S3Connection, 'ca'>): RequestInit & BunFetchRequestInit {
  return {
    redirect: 'manual',
    // Bytes are stored as they are; a transparent decompression would change them.
    decompress: false,
    ...(connection.ca === undefined ? {} : { tls: { ca: connection.ca } }),
  }
}
