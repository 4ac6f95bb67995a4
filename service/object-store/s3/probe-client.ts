import { limits } from '../../limits.ts'
import { fetchOptions } from './client.ts'
import type { S3Connection } from './connection.ts'
import { createS3Connections } from './connections.ts'
import { createRequestSigner, type UnsignedRequest } from './request-signer.ts'

/** What the store said to one request of the probe; `status` 0 if it said nothing in time. */
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
  /** Sign as somebody else, or for another region. */
  as?: Partial<Pick<S3Connection, 'accessKeyId' | 'secretAccessKey' | 'region'>>
  /** Ask another bucket. */
  bucket?: string
}

/**
 * Requests as an attacker or a careless client would send them: below the SDK, whose checks would hide what
 * the store does. Nothing here throws; no answer is an answer.
 */
export interface ProbeClient {
  send(request: ProbeRequest): Promise<ProbeAnswer>
  /** A request that was signed elsewhere. */
  fetch(url: string, init: RequestInit): Promise<ProbeAnswer>
}

/** No connection, or silence. */
export const noAnswer: ProbeAnswer = { status: 0, code: 'NoAnswer', headers: new Headers(), text: '' }

/** @param answerSecondsMax after which silence is no answer. */
export function createProbeClient(
  connection: S3Connection,
  answerSecondsMax: number = limits.probeAnswerSecondsMax,
): ProbeClient {
  const connections = connection.connections ?? createS3Connections(connection.connectionsMax)

  async function answerTo(url: string, init: RequestInit): Promise<ProbeAnswer> {
    try {
      return await connections.use('probe', undefined, async () => {
        const signal = AbortSignal.timeout(answerSecondsMax * 1000)
        const response = await fetch(url, { ...fetchOptions(connection), ...init, signal })
        const text = await response.text()
        const code = /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1] ?? ''
        return { status: response.status, code, headers: response.headers, text }
      })
    } catch {
      return noAnswer
    }
  }

  return {
    fetch: answerTo,

    async send({ method, key, query, headers, unsignedHeaders, body, payloadSha256, as, bucket }) {
      const identity = { ...connection, ...as, ...(bucket === undefined ? {} : { bucket }) }
      const signed = await createRequestSigner(identity)({
        method,
        key,
        ...(query ? { query } : {}),
        ...(headers ? { headers } : {}),
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
