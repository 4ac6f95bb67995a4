import type { S3Connection } from '../s3/connection.ts'
import { createProbeClient, type ProbeAnswer, type ProbeClient } from '../s3/probe-client.ts'
import { createS3TransferSigner } from '../s3/s3-transfer-signer.ts'
import type { TransferSigner } from '../transfer-signer.ts'
import { accepted } from './finding.ts'

/** Scratch keys of the probe under `staging/`, which it removes at the end, and what it sends requests with. */
export interface Scratch {
  client: ProbeClient
  /** The signer that tickets use, for the endpoint that this process reaches. */
  signer: TransferSigner
  /** The same with a clock that is so slow that everything it signs has expired. */
  lateSigner: TransferSigner
  connection: S3Connection
  /** Such as `docs/`: the lifecycle rules of keys under it are looked up. */
  prefix: string
  /** Web origin for the CORS question. */
  origin: string
  /** Start of every key that the probe writes. */
  scratchPrefix: string
  /** A key that nothing else uses. */
  key(name: string): string
  put(key: string, body: string, headers?: Record<string, string>): Promise<ProbeAnswer>
  get(key: string): Promise<ProbeAnswer>
  /** Begins an upload in parts. `uploadId` is undefined if the answer names none. */
  beginUpload(
    key: string,
    headers?: Record<string, string>,
  ): Promise<{ begun: ProbeAnswer; uploadId: string | undefined }>
  /** True once several requests in a row were not answered. */
  isSilent(): boolean
  /** Removes every key of the probe and frees its connections. @returns keys that could not be removed. */
  cleanUp(): Promise<string[]>
}

/** No tenant can have this name: it does not match the form of a tenant. */
const probeFolder = '_probe'

/** Well within the 15 minutes by which S3 lets clocks differ, and beyond what a ticket of the probe lives. */
const lateSeconds = 5 * 60

export interface ScratchOptions {
  /** How long to wait for each answer; default: `limits.probeAnswerSecondsMax`. */
  answerSecondsMax?: number | undefined
  /** Default: an origin that is not the store's. */
  origin?: string | undefined
}

/** Creates the scratch keys and clients of one probe; `cleanUp` must be called at the end. */
export function createScratch(
  connection: S3Connection,
  prefix: string,
  { answerSecondsMax, origin = 'https://ui.example' }: ScratchOptions = {},
): Scratch {
  const { client, isSilent } = listening(createProbeClient(connection, answerSecondsMax))
  const signing = { ...connection, publicEndpoint: connection.endpoint }
  const signer = createS3TransferSigner(signing)
  const lateSigner = createS3TransferSigner(signing, () => new Date(Date.now() - lateSeconds * 1000))
  const scratchPrefix = `${prefix}staging/${probeFolder}/${crypto.randomUUID()}/`
  const keys = new Set<string>()

  return {
    client,
    signer,
    lateSigner,
    connection,
    origin,
    prefix,
    scratchPrefix,
    isSilent,

    key(name) {
      const key = `${scratchPrefix}${name}`
      keys.add(key)
      return key
    },

    put: (key, body, headers = {}) => client.send({ method: 'PUT', key, headers, body }),

    get: (key) => client.send({ method: 'GET', key }),

    async beginUpload(key, headers = {}) {
      const begun = await client.send({ method: 'POST', key, query: { uploads: '' }, headers })
      return { begun, uploadId: /<UploadId>([^<]+)<\/UploadId>/.exec(begun.text)?.[1] }
    },

    async cleanUp() {
      const left = new Set(keys)
      for (const key of keys) {
        const answer = await client.send({ method: 'DELETE', key })
        if (accepted(answer) || answer.status === 404) left.delete(key)
        // A store that no longer answers would be waited for once per key.
        if (answer.status === 0) break
      }
      signer.close()
      lateSigner.close()
      return [...left]
    },
  }
}

/** One lost answer can happen; after this many in a row, each further question would wait for its time-out too. */
const unansweredMax = 3

function listening(client: ProbeClient): { client: ProbeClient; isSilent: () => boolean } {
  let unanswered = 0
  const counted = async (asked: Promise<ProbeAnswer>) => {
    const answer = await asked
    unanswered = answer.status === 0 ? unanswered + 1 : 0
    return answer
  }
  return {
    client: {
      send: (request) => counted(client.send(request)),
      fetch: (url, init) => counted(client.fetch(url, init)),
    },
    isSilent: () => unanswered >= unansweredMax,
  }
}
