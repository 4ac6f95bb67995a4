import { limits } from '../../limits.ts'
import { fetchOptions } from './client.ts'
import type { S3Connection } from './connection.ts'
import { createS3Connections } from './connections.ts'
import { errorCodeIn, toObjectStoreError } from './errors.ts'
import { createRequestSigner, type UnsignedRequest } from './request-signer.ts'

/** The store's answer to one request of the probe; `status` 0 if there was none in time. */
export interface ProbeAnswer {
  status: number
  /** The store's error code, or empty. */
  code: string
  headers: Headers
  text: string
}

export interface ProbeRequest extends Omit<UnsignedRequest, 'payloadSha256'> {
  /** Instead of the body's own. */
  payloadSha256?: string
  /** Sent, but not signed. */
  unsignedHeaders?: Record<string, string>
  body?: string
  /** Sign with other credentials, or for another region. */
  as?: Partial<Pick<S3Connection, 'accessKeyId' | 'secretAccessKey' | 'region'>>
  /** Send to another bucket. */
  bucket?: string
}

/**
 * Requests as an attacker or a careless client would send them: below the SDK, whose checks would hide what
 * the store does. Nothing here throws: a missing answer is an answer too.
 */
export interface ProbeClient {
  send(request: ProbeRequest): Promise<ProbeAnswer>
  /** A request that was signed elsewhere. */
  fetch(url: string, init: RequestInit): Promise<ProbeAnswer>
}

/** The answer when there was no connection, or nothing came in time; `code` may say why. */
export const noAnswer: ProbeAnswer = { status: 0, code: 'NoAnswer', headers: new Headers(), text: '' }

/**
 * Creates a client of the connection's bucket.
 *
 * @param answerSecondsMax how long to wait for each answer.
 */
export function createProbeClient(
  connection: S3Connection,
  answerSecondsMax: number = limits.probeAnswerSecondsMax,
): ProbeClient {
  const connections = connection.connections ?? createS3Connections(connection.connectionsMax)

  async function answerTo(url: string, init: RequestInit): Promise<ProbeAnswer> {
    try {
      return await connections.use({ operation: 'probe', key: 'probe', signal: undefined }, async () => {
        const signal = AbortSignal.timeout(answerSecondsMax * 1000)
        const response = await fetch(url, { ...fetchOptions(connection), ...init, signal })
        const text = await response.text()
        return { status: response.status, code: errorCodeIn(text) ?? '', headers: response.headers, text }
      })
    } catch (error) {
      return { ...noAnswer, code: toObjectStoreError('probe', error).reason }
    }
  }

  return {
    fetch: answerTo,

    async send({ method, key, query, headers, presign, unsignedHeaders, body, payloadSha256, as, bucket }) {
      const identity = { ...connection, ...as, ...(bucket === undefined ? {} : { bucket }) }
      const signed = createRequestSigner(identity)({
        method,
        key,
        ...(query ? { query } : {}),
        ...(headers ? { headers } : {}),
        presign,
        payloadSha256: payloadSha256 ?? new Bun.CryptoHasher('sha256').update(body ?? '').digest('hex'),
      })
      return answerTo(signed.url, {
        method,
        headers: { ...signed.headers, ...unsignedHeaders },
        ...(body === undefined ? {} : { body }),
      })
    },
  }
}
