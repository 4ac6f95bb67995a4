import { readFileSync } from 'node:fs'
import { CommandError } from '../../compose/run-command.ts'
import { buildServer, ServerBuildError } from '../../compose/servers/build-server.ts'
import { ServerStartError } from '../../compose/servers/server-process.ts'
import { Missing } from '../../service/cli/checks/check.ts'
import { UsageError } from '../../service/cli/command.ts'
import type { OnProgress } from '../../service/cli/progress.ts'
import { makeTempFolder } from '../../service/cli/temp-folder.ts'
import { issuedKeyIdCharsMin } from '../../service/config/config.ts'
import type { Environment } from '../../service/config/parse.ts'
import { registerSecret } from '../../service/telemetry/redaction.ts'
import { Secret } from '../../service/telemetry/secret.ts'
import { openComposeDeployment, whyNoComposeDeployment } from './compose/deployment.ts'
import type { Deployment, ServerName, StoreAccess } from './deployment.ts'
import type { Evidence } from './evidence.ts'
import type { Against, Request } from './flags.ts'
import { againstProof, ownProof, type Proof, type RunningPlace } from './proof.ts'
import type { Report } from './report.ts'
import { openNativeDeployment } from './servers/native-deployment.ts'
import { recordedDeployment } from './servers/recorded-deployment.ts'
import {
  type ChosenStore,
  configuredStore,
  isStoreConfigured,
  localPlaces,
  startedStore,
} from './store-choice.ts'

/** What a run needs before its first check. */
export interface Setup {
  proof: Proof
  /** For the report. */
  facts: Pick<Report, 'deployment' | 'store' | 'servers'>
  /** What is there, in one line. */
  seen: string
  /** Ends what was started; after `proof.close`. */
  stop(): Promise<void>
}

export interface SetupOptions {
  request: Request
  env: Environment
  evidence: Evidence
  signal: AbortSignal
  onProgress: OnProgress
}

/** Returns whether the error says that something is missing, and nothing about what was to be proved. */
export function isMissing(error: unknown): error is Error {
  return [Missing, ServerBuildError, ServerStartError, CommandError].some((kind) => error instanceof kind)
}

/**
 * Starts a store, unless one is configured, and what runs the servers on it; with `--against`, starts nothing.
 *
 * @throws {ConfigError} or {UsageError} if the environment or the command line is wrong. @throws what
 *   {@link isMissing} accepts, if something is missing; nothing is left running then.
 */
export function setUp(options: SetupOptions): Promise<Setup> {
  const { against } = options.request.flags
  return against === undefined ? setUpOwn(options) : setUpAgainst(options, against)
}

async function setUpOwn(options: SetupOptions): Promise<Setup> {
  const chosen = await chooseStore(options)
  try {
    // Before anything can fail with a message.
    if (chosen !== null) hideKeys(chosen.access)
    const deployment = await openDeployment(options, chosen)
    if (chosen === null) hideKeys(deployment.store)
    return withProof(options, chosen, deployment)
  } catch (error) {
    await chosen?.stop()
    throw error
  }
}

function withProof(
  { request, evidence, signal }: SetupOptions,
  chosen: ChosenStore | null,
  deployment: Deployment,
): Setup {
  const { servers, flags } = request
  const variants = { loki: [chosen?.lokiVariant ?? flags.variant ?? 's3-thanos'], tempo: ['s3'] }
  const places = Object.fromEntries(
    servers.map((server) => {
      const place = chosen?.places[server] ?? localPlaces[server]
      return [server, { ...place, variants: variants[server] }]
    }),
  )
  const proof = ownProof({
    deployment: recordedDeployment(deployment, evidence),
    places,
    part: flags.all ? 'all' : 'default',
    evidence,
    signal,
    others: chosen?.others ?? [],
  })
  const { endpoint } = deployment.store
  return {
    proof,
    facts: { deployment: deployment.kind, store: { endpoint }, servers: places },
    seen: `${chosen?.description ?? `MinIO of this run's own at ${endpoint}`}; ${howRun[deployment.kind]}`,
    stop: async () => chosen?.stop(),
  }
}

const howRun = { native: 'servers run as processes', compose: 'servers run in containers' }

/** @returns `null` if the containers bring a store of their own. */
async function chooseStore({ request, env, onProgress }: SetupOptions): Promise<ChosenStore | null> {
  const { flags, servers } = request
  if (isStoreConfigured(env)) {
    if (flags.store !== undefined || flags.tls) {
      throw new UsageError('a store is configured by S3_*: leave --store and --tls out, or unset those')
    }
    return configuredStore(env, servers, readText, flags.variant)
  }
  return flags.deploy === 'compose' ? null : startedStore(flags, onProgress)
}

async function openDeployment(
  { request, env, onProgress }: SetupOptions,
  chosen: ChosenStore | null,
): Promise<Deployment> {
  const { flags, servers } = request
  if (flags.deploy === 'compose') {
    const whyNot = await whyNoComposeDeployment(env)
    if (whyNot !== null) throw new Missing(whyNot)
    const folder = await makeTempFolder('validate-compose')
    return openComposeDeployment({ store: chosen?.access ?? null, env, folder, onProgress })
  }
  if (chosen === null) throw new Error('without containers there is always a store')
  // Here and not in the first check: minutes of building say nothing about what is checked.
  for (const server of servers) await buildServer(server, { onProgress })
  if (flags.all) await buildServer('toxiproxy', { onProgress })
  return openNativeDeployment({ store: chosen.access, onProgress })
}

/** Ample if `/flush` answers; if it is out of reach, chunks and blocks may take longer (`--wait`). */
const landingSecondsDefault = 60

async function setUpAgainst(
  { request, env, evidence, signal }: SetupOptions,
  against: Against,
): Promise<Setup> {
  const { servers, flags } = request
  if (!isStoreConfigured(env)) throw new Missing('S3_ENDPOINT and the other S3_* of the store that they use')
  const store = await configuredStore(env, servers, readText, flags.variant)
  hideKeys(store.access)
  const places: Partial<Record<ServerName, RunningPlace>> = {}
  for (const server of servers) {
    const place = store.places[server]
    if (place === undefined) throw new Missing(`a bucket of ${server}`)
    places[server] = { ...place, url: against[server] ?? '', otlpUrl: otlpUrlOf(server, against) }
  }
  const proof = againstProof({
    places,
    store: store.access,
    orgId: flags.tenant,
    evidence,
    signal,
    others: store.others,
    waits: { landing: flags.wait ?? landingSecondsDefault },
  })
  const shown = servers.map((server) => [server, { ...places[server], variants: [] }])
  const { endpoint } = store.access
  return {
    proof,
    facts: { deployment: 'against', store: { endpoint }, servers: Object.fromEntries(shown) },
    seen: `${store.description}; ${servers.map((server) => `${server} at ${against[server]}`).join(', ')}`,
    stop: () => store.stop(),
  }
}

/** Port of OTLP over HTTP (opentelemetry.io, "OTLP/HTTP Default Port"). */
const otlpPort = '4318'

function otlpUrlOf(server: ServerName, { loki = '', tempo = '', otlp }: Against): string {
  if (otlp !== undefined) return otlp
  if (server === 'loki') return `${loki}/otlp`
  const url = new URL(tempo)
  url.port = otlpPort
  return url.origin
}

/** Keeps the store's keys out of everything that is printed or kept. */
function hideKeys({ accessKeyId, secretAccessKey }: StoreAccess): void {
  if (accessKeyId.length >= issuedKeyIdCharsMin) registerSecret(new Secret(accessKeyId))
  registerSecret(new Secret(secretAccessKey))
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
