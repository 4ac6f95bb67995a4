import { accepted } from './probe-finding.ts'
import type { S3Connection } from './s3-connection.ts'
import { createProbeClient, type ProbeAnswer, type ProbeClient } from './s3-probe-client.ts'
import { createS3TransferSigner } from './s3-transfer-signer.ts'
import type { TransferSigner } from './transfer-signer.ts'

/** Where the probe plays: its own keys under `staging/`, which it removes at the end. */
export interface Scratch {
  client: ProbeClient
  /** The signer that tickets use, for the endpoint that this process reaches. */
  signer: TransferSigner
  connection: S3Connection
  /** `docs/`, say: lifecycle rules are looked up for what lies under it. */
  prefix: string
  /** Start of every key that the probe writes. */
  scratchPrefix: string
  /** A key that nothing else uses. */
  key(name: string): string
  put(key: string, body: string, headers?: Record<string, string>): Promise<ProbeAnswer>
  get(key: string): Promise<ProbeAnswer>
  /** Removes every key of the probe's and frees its connections. @returns keys that would not go. */
  cleanUp(): Promise<string[]>
}

/** No tenant can be called so: the name is outside of a tenant's form. */
const probeFolder = '_probe'

export function createScratch(connection: S3Connection, prefix: string): Scratch {
  const client = createProbeClient(connection)
  const signer = createS3TransferSigner({ ...connection, publicEndpoint: connection.endpoint })
  const scratchPrefix = `${prefix}staging/${probeFolder}/${crypto.randomUUID()}/`
  const keys = new Set<string>()

  return {
    client,
    signer,
    connection,
    prefix,
    scratchPrefix,

    key(name) {
      const key = `${scratchPrefix}${name}`
      keys.add(key)
      return key
    },

    put: (key, body, headers = {}) => client.send({ method: 'PUT', key, headers, body }),

    get: (key) => client.send({ method: 'GET', key }),

    async cleanUp() {
      const left: string[] = []
      for (const key of keys) {
        const answer = await client.send({ method: 'DELETE', key })
        if (!accepted(answer) && answer.status !== 404) left.push(key)
      }
      signer.close()
      return left
    },
  }
}
