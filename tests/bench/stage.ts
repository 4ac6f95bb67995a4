import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { freePort } from '../../compose/servers/free-port.ts'
import { answersOk, startServer } from '../../compose/servers/server-process.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import { startPrivateStore } from '../support/stores/store.ts'

const signedSeconds = 60 * 60
/** Prefix of the service's keys in its bucket, as the service for tests is configured. */
const docsPrefix = 'docs/'

/** The real store and the real service, each a process of its own, and ways to ask both for the same thing. */
export interface Stage {
  service: SpawnedService
  storeOrigin: string
  /** A token for tenant `acme` that outlives the run. */
  token: string
  /** Temporary, for the load's files; only its owner may read it. */
  folder: string
  /** The store by Bun's own client: fills and empties, measures nothing. */
  bucket: Bun.S3Client
  /** Path and query of a signed request for an object, key as the service sees it (below its prefix). */
  signedPath(method: 'GET' | 'PUT', key: string): string
  signedListPath(prefix: string, limit: number): Promise<string>
  /** Full key in the bucket. */
  fullKey(key: string): string
  /** A file of random bytes. */
  randomFile(name: string, size: number): Promise<string>
  /** Starts a program of this folder that listens on `PORT` of the loopback interface. */
  startProgram(file: string, env?: Record<string, string>): Promise<Program>
  stop(): Promise<void>
}

export interface Program {
  origin: string
  stop(): Promise<void>
}

/** @param profileFolder where the service writes its CPU profile when it ends; `undefined` for none. */
export async function setStage(profileFolder?: string): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'cloudlysis-bench-'))
  const store = await startPrivateStore()
  const profile = profileFolder && { BUN_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` }
  const service = await serviceInChild({ store, env: profile || {} })
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = service.connection
  const client = new Bun.S3Client({ endpoint, region, accessKeyId, secretAccessKey, bucket })
  const lister = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  })
  return {
    service,
    storeOrigin: endpoint,
    token: await service.token({ exp: Math.floor(Date.now() / 1000) + signedSeconds }),
    folder,
    bucket: client,
    fullKey: (key) => docsPrefix + key,
    signedPath: (method, key) =>
      pathOf(client.presign(docsPrefix + key, { method, expiresIn: signedSeconds })),
    async signedListPath(prefix, limit) {
      const list = new ListObjectsV2Command({ Bucket: bucket, Prefix: docsPrefix + prefix, MaxKeys: limit })
      return pathOf(await getSignedUrl(lister, list, { expiresIn: signedSeconds }))
    },
    async randomFile(name, size) {
      const path = join(folder, name)
      await writeFile(path, randomBytes(size))
      return path
    },
    async startProgram(file, env = {}) {
      const port = await freePort()
      const origin = `http://127.0.0.1:${port}`
      const { stop } = await startServer({
        name: file,
        argv: [process.execPath, fileURLToPath(new URL(file, import.meta.url))],
        env: { PATH: process.env.PATH ?? '', PORT: String(port), ...env },
        cwd: folder,
        logFile: join(folder, `${file}.log`),
        isReady: () => answersOk(origin),
        readySecondsMax: 30,
        stopSecondsMax: 5,
      })
      return { origin, stop }
    },
    async stop() {
      lister.destroy()
      await service.stop()
      await rm(service.process.logFile, { force: true })
      await store.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}
