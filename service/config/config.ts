import { lookup } from 'node:dns/promises'
import { Secret } from '../telemetry/secret.ts'
import { placeOf, plainSecretProblem, type ResolveHost } from './checks.ts'
import { certificatesIn, placeProblems, transportProblems } from './joint-checks.ts'
import { networksIn } from './networks.ts'
import { pairsIn } from './pairs.ts'
import { type Environment, ignoredNames, type Problem, type ReadFile, readVariables } from './parse.ts'
import { ignoredProxies, type ProxyFor, proxiesIn } from './proxies.ts'
import { type CompleteValues, type Values, type VariableName, variables } from './variables.ts'

type DeepReadonly<T> = T extends Secret
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/** The configuration of the service. Frozen, and checked: see {@link parseConfig}. */
export type Config = DeepReadonly<ReturnType<typeof assemble>>

/** What is needed to reach the documents in their store, and where Loki and Tempo keep their objects. */
export type StoreConfig = DeepReadonly<ReturnType<typeof assembleStore>>

/** Everything that is wrong with the environment, one line each. Safe to print: it quotes no value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(readonly problems: readonly Problem[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    const lines = problems.map(({ variable, problem }) => `  ${variable} ${problem}`)
    super([`The configuration has ${count}:`, ...lines].join('\n'))
  }
}

/**
 * Reads the configuration of the service (docs/configuration.md) from its environment.
 *
 * @param readFile reads the file that an `…_FILE` variable names, as text.
 * @param resolveHost addresses of a host name, asked only for a single-label host with plain http.
 * @throws {ConfigError} with all problems at once.
 */
export async function parseConfig(
  env: Environment,
  readFile: ReadFile,
  resolveHost?: ResolveHost,
): Promise<Config> {
  const { ca, otlpCa, proxyFor, ...read } = await readValues(env, { readFile, resolveHost })
  const values = complete(read)
  const ignored = [...ignoredNames(variables, env), ...ignoredProxies(values.PROXY_FOR, env)]
  return frozen(assemble(values, { ca, otlpCa, proxyFor, ignored }))
}

/** Names of variables that are not about the store, or about who writes to it. */
export const notOfStore = (Object.keys(variables) as VariableName[]).filter(
  (name) => !name.startsWith('S3_') && name !== 'SINGLE_REPLICA' && name !== 'PROXY_FOR',
)

/**
 * Reads the part of the configuration that commands need which work on the store alone, such as `bun run scrub`: the
 * `S3_*` variables, `SINGLE_REPLICA` and `PROXY_FOR`. All others may be missing or wrong.
 *
 * @throws {ConfigError} with all problems of these at once.
 */
export async function parseStoreConfig(
  env: Environment,
  readFile: ReadFile,
  resolveHost?: ResolveHost,
): Promise<StoreConfig> {
  const { ca, proxyFor, ...read } = await readValues(env, { readFile, resolveHost, unread: notOfStore })
  return frozen(assembleStore(complete(read), { ca, proxyFor }))
}

/** Returns the values of an environment without problems: what is required or has a fallback is there. */
function complete({ values, problems }: { values: Values; problems: Problem[] }): CompleteValues {
  if (problems.length > 0) throw new ConfigError(problems)
  return values as CompleteValues
}

export interface ValueOptions {
  readFile: ReadFile
  /** Default: asks the system. */
  resolveHost?: ResolveHost | undefined
  /** Names that this program does not read. */
  unread?: readonly VariableName[]
  /** Required names that may be missing for this program. */
  optional?: readonly VariableName[]
}

/**
 * Reads and checks the variables of the service's table, for programs that need some of them.
 *
 * @returns the decoded values, the certificates in the files that they name, which calls go through a proxy, and all
 *   problems.
 */
export async function readValues(
  env: Environment,
  { readFile, resolveHost = addressesOf, ...which }: ValueOptions,
): Promise<{
  values: Values
  ca?: string | undefined
  otlpCa?: string | undefined
  proxyFor: ProxyFor
  problems: Problem[]
}> {
  const { values, problems } = readVariables(variables, env, { readFile, prefix: 'S3_', ...which })
  const certificates = certificatesIn('S3_CA_FILE', values, readFile)
  const otlpCertificates = certificatesIn('OTEL_EXPORTER_OTLP_CERTIFICATE', values, readFile)
  const proxies = proxiesIn(values.PROXY_FOR, env)
  const all = [
    ...problems,
    ...placeProblems(values),
    ...(await transportProblems(values, resolveHost)),
    ...certificates.problems,
    ...otlpCertificates.problems,
    ...telemetryProblems(values),
    ...proxies.problems,
  ]
  const { proxyFor } = proxies
  return { values, ca: certificates.pem, otlpCa: otlpCertificates.pem, proxyFor, problems: all }
}

/** Shorter ids and words are chosen by people (`documents`): redacting them would spoil every log line. */
export const issuedKeyIdCharsMin = 16

/** Returns the secrets in `config`, to be registered with the redaction of logs. */
export function secretsOf({ s3, ticketSigningKeys, audit, telemetry }: Config): Secret[] {
  return [
    ...(s3.accessKeyId.reveal().length >= issuedKeyIdCharsMin ? [s3.accessKeyId] : []),
    s3.secretAccessKey,
    ...(ticketSigningKeys ?? []),
    ...headerSecrets([telemetry.traces, telemetry.logs, audit.query]),
  ]
}

function assembleStore(values: CompleteValues, { ca, proxyFor }: Pick<Surroundings, 'ca' | 'proxyFor'>) {
  return {
    s3: {
      endpoint: values.S3_ENDPOINT,
      publicEndpoint: values.S3_PUBLIC_ENDPOINT ?? values.S3_ENDPOINT,
      region: values.S3_REGION,
      accessKeyId: new Secret(values.S3_ACCESS_KEY_ID),
      secretAccessKey: new Secret(values.S3_SECRET_ACCESS_KEY),
      forcePathStyle: values.S3_FORCE_PATH_STYLE,
      insecure: values.S3_INSECURE,
      ca,
      proxy: proxyFor('store', values.S3_ENDPOINT),
      connectionsMax: values.S3_CONNECTIONS_MAX,
    },
    singleReplica: values.SINGLE_REPLICA,
    docs: { bucket: values.S3_BUCKET_DOCS, prefix: values.S3_PREFIX_DOCS },
    loki: placeOf(values.S3_BUCKET_LOKI, values.S3_PREFIX_LOKI ?? 'loki/'),
    tempo: placeOf(values.S3_BUCKET_TEMPO, values.S3_PREFIX_TEMPO ?? 'tempo/'),
  }
}

interface Surroundings {
  /** PEM certificates of the object store, in place of the system's. */
  ca: string | undefined
  /** PEM certificates of the OTLP endpoints, in place of the system's. */
  otlpCa: string | undefined
  proxyFor: ProxyFor
  /** Names that are set and have no effect, although an operator may believe so. */
  ignored: string[]
}

function assemble(values: CompleteValues, { ca, otlpCa, proxyFor, ignored }: Surroundings) {
  return {
    ...assembleStore(values, { ca, proxyFor }),
    auth: {
      issuer: values.AUTH_ISSUER,
      audience: values.AUTH_AUDIENCE,
      jwksUrl: values.AUTH_JWKS_URL,
      clientId: values.AUTH_CLIENT_ID,
      proxy: proxyFor('issuer', values.AUTH_JWKS_URL),
    },
    http: {
      host: values.HOST,
      port: values.PORT,
      publicUrl: values.PUBLIC_URL ?? listenerUrl(values.HOST, values.PORT, 'localhost'),
      trustedProxies: networksIn(values.TRUSTED_PROXIES),
      requestsMax: values.REQUESTS_MAX,
    },
    documentBytesMax: values.DOCUMENT_BYTES_MAX,
    readVerification: values.READ_VERIFICATION === 'store' ? ('store' as const) : ('always' as const),
    ticketSigningKeys:
      values.TICKET_SIGNING_KEY === undefined ? undefined : keysIn(values.TICKET_SIGNING_KEY),
    audit: { file: values.AUDIT_LOG_FILE, query: auditQueryOf(values, proxyFor) },
    traceUrlTemplate: values.TRACE_URL_TEMPLATE,
    serviceName: serviceNameOf(values),
    telemetry: telemetryOf(values, otlpCa, proxyFor),
    metrics: metricsOf(values),
    ignored,
  }
}

/** Returns the keys of a text with white space between them, of which its schema allows one or more. */
function keysIn(text: string): [Secret, ...Secret[]] {
  const [first = '', ...others] = text.split(/\s+/)
  return [new Secret(first), ...others.map((key) => new Secret(key))]
}

/**
 * Returns the URL of a listener.
 *
 * @param everywhere the host of the URL where it listens at every address, to which no client can connect.
 */
export function listenerUrl(host: string, port: number | string, everywhere: string): string {
  const reachable = host === '0.0.0.0' || host === '::' ? everywhere : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

/** Where one signal goes: the whole URL, and the headers of every export, whose values are secret. */
interface Destination {
  url: string
  headers: Record<string, Secret>
}

const signals = ['TRACES', 'LOGS'] as const
type Signal = (typeof signals)[number]

/** Below a general endpoint; one for a signal is taken as it is. */
const paths = { TRACES: 'v1/traces', LOGS: 'v1/logs' } as const

const samplers = ['always_on', 'always_off', 'traceidratio'] as const

/** Returns what is exported, where to and how. Without `traces` or `logs` that signal is not exported. */
function telemetryOf(values: CompleteValues, ca: string | undefined, proxyFor: ProxyFor) {
  const sampler = values.OTEL_TRACES_SAMPLER
  const protocol = values.OTEL_EXPORTER_OTLP_PROTOCOL === 'http/protobuf' ? 'http/protobuf' : 'http/json'
  const viaProxy = (found: Destination | undefined) =>
    found && { ...found, proxy: proxyFor('exporter', found.url) }
  return {
    resourceAttributes: pairsIn(values.OTEL_RESOURCE_ATTRIBUTES),
    traces: viaProxy(destinationOf('TRACES', values)),
    logs: viaProxy(destinationOf('LOGS', values)),
    protocol,
    timeoutMilliseconds: values.OTEL_EXPORTER_OTLP_TIMEOUT,
    ca,
    sampler: {
      kind: samplers.find((kind) => sampler.endsWith(kind)) ?? 'always_on',
      followsCaller: sampler.startsWith('parentbased_'),
      ratio: Number(values.OTEL_TRACES_SAMPLER_ARG),
    },
  } as const
}

/** Returns where the audit can be asked; `undefined` where nowhere. */
function auditQueryOf({ AUDIT_QUERY_URL: url, ...values }: Values, proxyFor: ProxyFor) {
  if (url === undefined) return undefined
  const headers = secretHeaders(pairsIn(values.AUDIT_QUERY_HEADERS))
  return { url, headers, proxy: proxyFor('exporter', url) }
}

/** Returns the listener of `/metrics`. */
function metricsOf({ METRICS_HOST: host, METRICS_PORT: port }: CompleteValues) {
  return port === undefined ? undefined : { host, port }
}

/** OpenTelemetry, "General SDK configuration": the variable for the name comes before the attribute. */
function serviceNameOf(values: Values): string {
  const attributes = pairsIn(values.OTEL_RESOURCE_ATTRIBUTES)
  return values.OTEL_SERVICE_NAME ?? attributes['service.name'] ?? 'cloudlysis-documents'
}

/** Returns the problems between telemetry variables. */
function telemetryProblems(values: Values): Problem[] {
  const problems: Problem[] = []
  if (values.METRICS_PORT !== undefined && values.METRICS_PORT === values.PORT) {
    problems.push({ variable: 'METRICS_PORT', problem: 'must not be PORT: clients of the API get there' })
  }
  const { AUDIT_QUERY_URL: auditUrl, AUDIT_QUERY_HEADERS: auditHeaders } = values
  const auditProblem = auditUrl && auditHeaders && plainSecretProblem(auditUrl)
  if (auditProblem) problems.push({ variable: 'AUDIT_QUERY_URL', problem: auditProblem })
  for (const signal of signals) {
    const found = destinationOf(signal, values)
    if (!found || Object.keys(found.headers).length === 0) continue
    const problem = plainSecretProblem(found.url)
    const own = `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT` as const
    const variable = values[own] === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : own
    // Both signals may go by the same variable.
    if (problem === undefined || problems.some((before) => before.variable === variable)) continue
    problems.push({ variable, problem })
  }
  return problems
}

function headerSecrets(destinations: readonly (Destination | undefined)[]): Secret[] {
  const values = destinations.flatMap((one) => Object.values(one?.headers ?? {}))
  // `Bearer` and what follows it: either may be quoted without the other.
  const words = values.flatMap((value) => [value.reveal(), ...value.reveal().split(' ')])
  return words.filter((word) => word.length >= issuedKeyIdCharsMin).map((word) => new Secret(word))
}

function destinationOf(signal: Signal, values: Values): Destination | undefined {
  if (values.OTEL_SDK_DISABLED || values[`OTEL_${signal}_EXPORTER`] === 'none') return undefined
  const general = values.OTEL_EXPORTER_OTLP_ENDPOINT
  const url = values[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] ?? below(general, paths[signal])
  if (url === undefined) return undefined
  const pairs = {
    ...pairsIn(values.OTEL_EXPORTER_OTLP_HEADERS),
    ...pairsIn(values[`OTEL_EXPORTER_OTLP_${signal}_HEADERS`]),
  }
  return { url, headers: secretHeaders(pairs) }
}

function secretHeaders(pairs: Readonly<Record<string, string>>): Record<string, Secret> {
  const headers = Object.entries(pairs).map(([name, value]) => [name.toLowerCase(), new Secret(value)])
  return Object.fromEntries(headers)
}

function below(endpoint: string | undefined, path: string): string | undefined {
  return endpoint === undefined ? undefined : `${endpoint.replace(/\/$/, '')}/${path}`
}

/** Returns a deeply frozen copy, without the members that are `undefined`. */
function frozen<T>(value: T): DeepReadonly<T> {
  return frozenCopy(value) as DeepReadonly<T>
}

function frozenCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Secret) return Object.freeze(value)
  if (Array.isArray(value)) return Object.freeze([...value])
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.freeze(Object.fromEntries(members.map(([name, member]) => [name, frozenCopy(member)])))
}
