import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort, onFreePorts } from '../../../compose/servers/free-port.ts'
import { answersOk, type ServerProcess, startServer } from '../../../compose/servers/server-process.ts'
import type { TokenRequest } from '../../../service/cli/local-issuer/access-token.ts'
import { signInLink } from '../../../service/cli/local-issuer/sign-in-code.ts'
import { type Config, parseConfig } from '../../../service/config/config.ts'
import { createService } from '../../../service/create-service.ts'
import type { UploadPace } from '../../../service/documents/incoming-body.ts'
import type { Route } from '../../../service/http/route.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { prefixed } from '../../../service/object-store/prefixed-object-store.ts'
import type { StoreDeadlines } from '../../../service/object-store/s3/connection.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import type { StoreCapabilities } from '../../../service/object-store/store-capabilities.ts'
import { bundleUi } from '../../../service/ui/bundle.ts'
import { type Claims, type IssuerForTests, startIssuerForTests } from '../issuers/issuer-for-tests.ts'
import { keepPrinted, printedFile } from '../printed.ts'
import { admitBrowsers, freshBucket, narrowServiceKey } from '../stores/bucket.ts'
import { counted } from '../stores/counted-object-store.ts'
import { knownCapabilities } from '../stores/known-capabilities.ts'
import { asService, docsPrefix, type StoreForTests } from '../stores/service-key.ts'
import { storeForTests } from '../stores/store.ts'

/** One line of the service's log, parsed. */
export type LogLine = Readonly<Record<string, unknown>>

/** The service on a real object store, with a bucket and an issuer of its own. */
export interface ServiceForTests {
  /**
   * Origin, such as `http://127.0.0.1:40123`. Where there is a UI, its store lets in the browsers that come from
   * here, and refuses those that come from the same service by the name `localhost`.
   */
  url: string
  issuer: IssuerForTests
  /** A good token: tenant `acme`, all scopes, subject `alice`, except what `claims` changes. */
  token(claims?: Claims): Promise<string>
  /** As `start` prints one: good once, for tenants `acme` and `globex`, all scopes, `alice`, except what `request` changes. */
  signInLink(request?: Partial<TokenRequest>): Promise<string>
  /** What the service sees as its store, below `S3_PREFIX_DOCS`, by another way and with the owner's key. */
  store: ObjectStore
  /** How the service itself reaches its bucket: with a key that has the rights of the table, and no others. */
  connection: StoreForTests & { bucket: string }
  /** The same with the key of the store's owner, who may do everything. */
  owner: StoreForTests & { bucket: string }
  /** Everything it has logged so far; a line that is no JSON object fails the test that asks. */
  logs(): LogLine[]
  stop(): Promise<void>
}

export interface InProcessService extends ServiceForTests {
  /** The table of all calls that need a token. */
  routes: readonly Pick<Route, 'method' | 'path' | 'action'>[]
  /** Names of the methods of the object store that the service has called; empty it with `length = 0`. */
  storeCalls: string[]
  /** As SIGTERM begins: `/readyz` says 503 from now on. */
  drain(): void
}

/** Who issues the tokens that a service takes. */
export type Issuer = Pick<IssuerForTests, 'issuer' | 'audience' | 'jwksUrl' | 'clientId'>

export interface InProcessOptions {
  /** With the Control UI, which is built once per process. */
  ui?: boolean
  /** Of the UI's settings; default: none. */
  traceUrlTemplate?: string
  /** Life of the tokens that the UI gets for its link; default: that of the local issuer. */
  accessTokenSeconds?: number
  /** Takes the place of the issuer for tests, whose tokens and links are refused then. */
  issuer?: Issuer
  /** Default: a free one. */
  port?: number
  /** As TRUSTED_PROXIES; default: none. */
  trustedProxies?: string
  /** As AUDIT_QUERY_URL; default: none. */
  auditQueryUrl?: string
  /** As AUDIT_LOG_FILE; default: with all other lines. */
  auditLogFile?: string
  /** What the service takes the store for; default: what the probe is known to find on it. */
  capabilities?: StoreCapabilities
  /** It is the only writer in its bucket; default: that of the service. */
  singleReplica?: boolean
  /** As REQUESTS_MAX; default: that of the service. */
  requestsMax?: number
  /** When the first inventory is taken; default: that of the service, which no test waits for. */
  inventoryDelaySeconds?: number
  /** Watches of tags at once; default: that of the service. */
  watchesMax?: number
  /** As READ_VERIFICATION; default: that of the service. */
  readVerification?: 'store' | 'always'
  /** What bodies of uploads may take in all; default: that of the service. */
  uploadsBytesMax?: number
  /** Default: that of the service. */
  documentBytesMax?: number
  /** How slow an upload may be; what is left out is that of the service. */
  uploadPace?: Partial<UploadPace>
  /** Default: that of the service. */
  completionWaitSecondsMax?: number
  /** Another replica: with the bucket, the secret and the issuer of this one, which must be stopped after it. */
  replicaOf?: ServiceForTests
  /** Connections to the store; default: 64, as that of the service. */
  connectionsMax?: number
  /** How long the store may take; default: those of the service. */
  deadlines?: StoreDeadlines
  /** Default: the shared one of all tests. */
  store?: StoreForTests
  /** One that is there already; default: a fresh one, which the store's owner makes. */
  bucket?: string
  /** Puts something between the service and its store, such as a fault. Keys come without the prefix. */
  decorate?: (store: ObjectStore) => ObjectStore
}

const mainFile = fileURLToPath(new URL('../../../service/main.ts', import.meta.url))
/** Of a service that receives SIGINT: no notice, but running transfers may finish. */
const stopSecondsMax = 20

/**
 * The service in this process, on a real socket. Without a store of the runner the first call may have to build
 * MinIO: give `beforeAll` 600,000 ms.
 */
export async function serviceInProcess(options: InProcessOptions = {}): Promise<InProcessService> {
  const surroundings = options.replicaOf ? sharedWith(options.replicaOf) : await surroundingsOfOne(options)
  const lines: string[] = []
  const storeCalls: string[] = []
  const { connection } = surroundings
  const { decorate = (store) => store, capabilities = knownCapabilities(connection.kind) } = options
  const service = await createService(await configFor(surroundings, options), {
    logDestination: {
      write(line) {
        lines.push(line)
        keepPrinted('service', line)
      },
    },
    decorateStore: (store) => counted(decorate(store), storeCalls),
    deadlines: options.deadlines,
    capabilities: () => capabilities,
    uploadPace: options.uploadPace,
    uploadsBytesMax: options.uploadsBytesMax,
    watchesMax: options.watchesMax,
    inventoryDelaySeconds: options.inventoryDelaySeconds,
    completionWaitSecondsMax: options.completionWaitSecondsMax,
    ui: options.ui ? sharedBundle() : null,
  })
  const server = service.start()
  surroundings.issuer.admitUi(server.url)
  if (options.ui) await admitBrowsers(surroundings.owner, [server.url])
  return {
    ...surroundings,
    url: server.url,
    signInLink: async (request) => signInLink(server.url, await surroundings.issuer.signInCode(request)),
    routes: service.routes,
    storeCalls,
    drain: service.drain,
    logs: () => lines.map(parseLine),
    async stop() {
      await service.close({ now: true })
      await surroundings.stop()
    },
  }
}

export interface SpawnedService extends ServiceForTests {
  process: ServerProcess
  /** Sends the signal and returns at once; `process.exited` tells the exit status. */
  signal(name: 'SIGTERM' | 'SIGINT'): void
  /** Everything printed so far, standard output and error. */
  printed(): string
}

export interface SpawnOptions {
  /** Default: the shared one of all tests. */
  store?: StoreForTests
  /** One that is there already; default: a fresh one. */
  bucket?: string
  /** Another replica: with the bucket, the secret and the issuer of this one, which must be stopped after it. */
  replicaOf?: ServiceForTests
  /** Variables in addition to, or instead of, those that are needed to start. */
  env?: Readonly<Record<string, string>>
  /** The command line of another build of it; default: `bun service/main.ts`. */
  argv?: readonly string[]
  /** Where it runs; default: the root of the repository. */
  cwd?: string
  /** What must answer before the service counts as started: `/livez` where its store is out of reach. */
  startedBy?: '/livez' | '/readyz'
}

/** The real `service/main.ts` as a process of its own. */
export async function serviceInChild(options: SpawnOptions = {}): Promise<SpawnedService> {
  const surroundings = options.replicaOf ? sharedWith(options.replicaOf) : await surroundingsOfOne(options)
  const { url, logFile, child } = await onFreePorts(() => spawnMain(surroundings, options)).catch(
    async (error) => {
      await surroundings.stop()
      throw error
    },
  )
  surroundings.issuer.admitUi(url)
  await admitBrowsers(surroundings.owner, [url])
  let hasExited = false
  void child.exited.then(() => {
    hasExited = true
  })
  const printed = () => readFileSync(logFile, 'utf8')
  return {
    ...surroundings,
    url,
    signInLink: async (request) => signInLink(url, await surroundings.issuer.signInCode(request)),
    process: child,
    signal: (name) => process.kill(child.pid, name),
    printed,
    logs: () => printed().split('\n').slice(0, -1).map(parseLine),
    async stop() {
      // Not SIGTERM: no load balancer has to notice that a test is over.
      if (!hasExited) process.kill(child.pid, 'SIGINT')
      await Promise.race([child.exited, Bun.sleep(stopSecondsMax * 1000)])
      await child.stop()
      await surroundings.stop()
    },
  }
}

async function spawnMain(surroundings: Surroundings, options: SpawnOptions) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  // A port comes again: what another one printed is not of this service.
  const logFile = printedFile(`service-${port}-${crypto.randomUUID()}`)
  const child = await startServer({
    name: 'service',
    argv: [...(options.argv ?? [process.execPath, mainFile])],
    env: { ...environmentFor(surroundings), PORT: String(port), ...options.env },
    cwd: options.cwd ?? fileURLToPath(new URL('../../..', import.meta.url)),
    logFile,
    isReady: () => answersOk(`${url}${options.startedBy ?? '/readyz'}`),
    readySecondsMax: 30,
    stopSecondsMax,
  })
  return { url, logFile, child }
}

type Surroundings = Pick<ServiceForTests, 'issuer' | 'token' | 'store' | 'connection' | 'owner' | 'stop'>

let bundle: ReturnType<typeof bundleUi> | undefined

function sharedBundle(): ReturnType<typeof bundleUi> {
  bundle ??= bundleUi()
  return bundle
}

function sharedWith({ issuer, token, store, connection, owner }: ServiceForTests): Surroundings {
  return { issuer, token, store, connection, owner, stop: async () => {} }
}

async function surroundingsOfOne(
  options: Pick<InProcessOptions, 'store' | 'bucket' | 'accessTokenSeconds'>,
): Promise<Surroundings> {
  const store = options.store ?? (await storeForTests())
  if (options.bucket !== undefined) await narrowServiceKey(store, options.bucket)
  const owner = { ...store, bucket: options.bucket ?? (await freshBucket(store)) }
  const issuer = await startIssuerForTests({ accessTokenSeconds: options.accessTokenSeconds })
  const bucket = createS3ObjectStore({ ...owner, connectionsMax: 8 })
  return {
    issuer,
    token: issuer.token,
    store: prefixed(bucket, docsPrefix),
    connection: asService(owner),
    owner,
    async stop() {
      bucket.close()
      await issuer.stop()
    },
  }
}

/** What the environment of a service says, in this process and in one of its own alike, and what only tests may say. */
async function configFor(surroundings: Surroundings, options: InProcessOptions): Promise<Config> {
  const { issuer = surroundings.issuer, documentBytesMax, connectionsMax, traceUrlTemplate } = options
  const environment = { ...environmentFor({ ...surroundings, issuer }), OTEL_SERVICE_NAME: 'documents' }
  if (options.trustedProxies !== undefined)
    Object.assign(environment, { TRUSTED_PROXIES: options.trustedProxies })
  if (options.auditLogFile !== undefined) Object.assign(environment, { AUDIT_LOG_FILE: options.auditLogFile })
  if (options.auditQueryUrl !== undefined)
    Object.assign(environment, { AUDIT_QUERY_URL: options.auditQueryUrl })
  if (traceUrlTemplate !== undefined) Object.assign(environment, { TRACE_URL_TEMPLATE: traceUrlTemplate })
  const config = await parseConfig(environment, refuseToRead)
  const { s3, http } = config
  return {
    ...config,
    s3: { ...s3, connectionsMax: connectionsMax ?? s3.connectionsMax },
    http: { ...http, port: options.port ?? 0, requestsMax: options.requestsMax ?? http.requestsMax },
    documentBytesMax: documentBytesMax ?? config.documentBytesMax,
    readVerification: options.readVerification ?? config.readVerification,
    singleReplica: options.singleReplica ?? config.singleReplica,
  }
}

function refuseToRead(path: string): never {
  throw new Error(`no variable of a service for tests names a file, least of all ${path}`)
}

/** Returns the environment with which a service reaches its store and its issuer. */
export function environmentFor({
  connection,
  issuer,
}: {
  connection: ServiceForTests['connection']
  issuer: Issuer
}): Record<string, string> {
  return {
    S3_ENDPOINT: connection.endpoint,
    S3_REGION: connection.region,
    S3_ACCESS_KEY_ID: connection.accessKeyId,
    S3_SECRET_ACCESS_KEY: connection.secretAccessKey,
    S3_FORCE_PATH_STYLE: String(connection.forcePathStyle),
    S3_INSECURE: 'true',
    S3_BUCKET_DOCS: connection.bucket,
    S3_PREFIX_DOCS: docsPrefix,
    ...issuerVariables(issuer),
  }
}

/** Returns what the environment of a service says about its issuer. */
export function issuerVariables({ issuer, audience, jwksUrl, clientId }: Issuer): Record<string, string> {
  return { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: jwksUrl, AUTH_CLIENT_ID: clientId }
}

function parseLine(line: string): LogLine {
  const parsed: unknown = JSON.parse(line)
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as LogLine
  throw new Error(`not a log line: ${line}`)
}
