import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { freePort } from '../../compose/servers/free-port.ts'
import { answersOk, startServer } from '../../compose/servers/server-process.ts'
import { probed } from '../support/service/probed.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import { type RunningStoreForTests, type TestStore, testStores } from '../support/stores/store.ts'
import { type Gateway, startNginx, startVersityGw } from './gateways.ts'

const signedSeconds = 2 * 60 * 60
/** Prefix of the service's keys in its bucket, as the service for tests is configured. */
const docsPrefix = 'docs/'

/** Paths and queries of signed requests for an object, key as the service sees it (below its prefix). */
type SignedPath = (method: 'GET' | 'PUT', key: string) => string

interface Gateways {
  versityGw: Gateway & { signedPath: SignedPath }
  nginx: Gateway
}

/**
 * The real store, the real service and what could stand in its place, each a process of its own, and ways to ask all of them
 * for the same thing.
 */
export interface Stage {
  service: SpawnedService
  /** Starts what could stand in its place, when it is asked for first: one of them may have to be built. */
  gateways(): Promise<Gateways>
  storeOrigin: string
  /** A token for tenant `acme` that outlives the run. */
  token: string
  /** Temporary, for the load's files; only its owner may read it. */
  folder: string
  /** The store by Bun's own client: fills and empties, measures nothing. */
  bucket: Bun.S3Client
  /** Signed for the store. */
  signedPath: SignedPath
  signedListPath(prefix: string, limit: number): Promise<string>
  /**
   * Uploads a document by the service, or another one.
   *
   * @param path such as `/v1/tenants/acme/documents/bench/a`
   */
  upload(path: string, bytes: Uint8Array<ArrayBuffer>, origin?: string): Promise<void>
  /** Full key in the bucket. */
  fullKey(key: string): string
  /** A file of random bytes. */
  randomFile(name: string, size: number): Promise<string>
  /** Starts a program of this folder that listens on `PORT` of the loopback interface. */
  startProgram(file: string, env?: Record<string, string>, readyPath?: string): Promise<Gateway>
  stop(): Promise<void>
}

/**
 * @param storeName which store
 * @param profileFolder where the service writes its CPU profile when it ends; `undefined` for none
 */
export async function setStage(storeName: TestStore, profileFolder?: string): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'cloudlysis-bench-'))
  const store: RunningStoreForTests = await testStores[storeName].start()
  const profile = profileFolder && { BUN_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` }
  const service = await serviceInChild({ store, env: profile || {} })
  // Before, uploads send no checksum, and what was uploaded without one is hashed when it is read.
  await probed(service)
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = service.connection
  const client = new Bun.S3Client({ endpoint, region, accessKeyId, secretAccessKey, bucket })
  const token = await service.token({ exp: Math.floor(Date.now() / 1000) + signedSeconds })
  const signedBy =
    (signer: Bun.S3Client): SignedPath =>
    (method, key) =>
      pathOf(signer.presign(docsPrefix + key, { method, expiresIn: signedSeconds }))
  async function startGateways(): Promise<Gateways> {
    const versityGw = await startVersityGw(service.owner, folder)
    const signer = new Bun.S3Client({ ...versityGw, endpoint: versityGw.origin, region, bucket })
    const nginx = await startNginx(service.owner, folder)
    return { versityGw: { ...versityGw, signedPath: signedBy(signer) }, nginx }
  }
  let gateways: Promise<Gateways> | undefined
  const lister = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  })
  return {
    service,
    storeOrigin: endpoint,
    token,
    gateways() {
      gateways ??= startGateways()
      return gateways
    },
    folder,
    bucket: client,
    fullKey: (key) => docsPrefix + key,
    signedPath: signedBy(client),
    async upload(path, body, origin = service.url) {
      const headers = { authorization: `Bearer ${token}` }
      const response = await fetch(origin + path, { method: 'PUT', headers, body })
      if (!response.ok) throw new Error(`an upload was answered ${response.status}`)
    },
    async signedListPath(prefix, limit) {
      const list = new ListObjectsV2Command({ Bucket: bucket, Prefix: docsPrefix + prefix, MaxKeys: limit })
      return pathOf(await getSignedUrl(lister, list, { expiresIn: signedSeconds }))
    },
    async randomFile(name, size) {
      const path = join(folder, name)
      await writeFile(path, randomBytes(size))
      return path
    },
    async startProgram(file, env = {}, readyPath = '/') {
      const port = await freePort()
      const origin = `http://127.0.0.1:${port}`
      const { pid, stop } = await startServer({
        name: file,
        argv: [process.execPath, fileURLToPath(new URL(file, import.meta.url))],
        env: { PATH: process.env.PATH ?? '', PORT: String(port), ...env },
        cwd: folder,
        logFile: join(folder, `${file}.log`),
        isReady: () => answersOk(`${origin}${readyPath}`),
        readySecondsMax: 30,
        stopSecondsMax: 5,
      })
      return { origin, pid, stop }
    },
    async stop() {
      lister.destroy()
      for (const gateway of Object.values((await gateways?.catch(() => null)) ?? {})) await gateway.stop()
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
