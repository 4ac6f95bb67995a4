import { lookup } from 'node:dns/promises'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Secret } from '../telemetry/secret.ts'
import {
  certificatesIn,
  placeOf,
  placeProblems,
  plainSecretProblem,
  type ResolveHost,
  transportProblems,
} from './checks.ts'
import { pairsIn } from './pairs.ts'
import { type Environment, ignoredNames, type Problem, type ReadFile, readVariables } from './parse.ts'
import { type Values, type VariableName, variables } from './variables.ts'

const secret = Type.Unsafe<Secret>(Type.Object({}))
const place = Type.Object({ bucket: Type.String(), prefix: variables.S3_PREFIX_DOCS.schema })

/** Where one signal goes: the whole URL, and the headers of every export, whose values are secret. */
const destination = Type.Object({
  url: Type.String(),
  headers: Type.Record(Type.String(), secret),
})

/** What is exported, where to and how. Without `traces` or `logs` that signal is not exported. */
const telemetrySchema = Type.Object({
  resourceAttributes: Type.Record(Type.String(), Type.String()),
  traces: Type.Optional(destination),
  logs: Type.Optional(destination),
  protocol: Type.Union([Type.Literal('http/json'), Type.Literal('http/protobuf')]),
  timeoutMilliseconds: variables.OTEL_EXPORTER_OTLP_TIMEOUT.schema,
  /** PEM certificates, in place of the system's. */
  ca: Type.Optional(Type.String()),
  sampler: Type.Object({
    kind: Type.Union([Type.Literal('always_on'), Type.Literal('always_off'), Type.Literal('traceidratio')]),
    followsCaller: Type.Boolean(),
    ratio: Type.Number({ minimum: 0, maximum: 1 }),
  }),
})

/** The listener of `/metrics`. */
const metricsSchema = Type.Object({
  host: Type.String(),
  port: variables.METRICS_PORT.schema,
})

/** The configuration of the service. Frozen, and checked: see {@link parseConfig}. */
export const configSchema = Type.Object({
  s3: Type.Object({
    endpoint: Type.String(),
    publicEndpoint: Type.String(),
    region: variables.S3_REGION.schema,
    accessKeyId: secret,
    secretAccessKey: secret,
    forcePathStyle: Type.Boolean(),
    insecure: Type.Boolean(),
    /** PEM certificates, in place of the system's. */
    ca: Type.Optional(Type.String()),
    connectionsMax: variables.S3_CONNECTIONS_MAX.schema,
  }),
  docs: place,
  loki: Type.Optional(place),
  tempo: Type.Optional(place),
  auth: Type.Object({
    issuer: Type.String(),
    audience: variables.AUTH_AUDIENCE.schema,
    jwksUrl: Type.String(),
    clientId: variables.AUTH_CLIENT_ID.schema,
  }),
  http: Type.Object({ host: Type.String(), port: variables.PORT.schema, publicUrl: Type.String() }),
  documentBytesMax: variables.DOCUMENT_BYTES_MAX.schema,
  ticketSigningKey: Type.Optional(secret),
  traceUrlTemplate: Type.Optional(Type.String()),
  serviceName: Type.String(),
  telemetry: telemetrySchema,
  metrics: Type.Optional(metricsSchema),
  /** Names of OpenTelemetry that are set and have no effect. */
  ignored: Type.Array(Type.String()),
})

const storeConfigSchema = Type.Pick(configSchema, ['s3', 'docs', 'loki', 'tempo'])

type DeepReadonly<T> = T extends Secret
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

export type Config = DeepReadonly<Static<typeof configSchema>>

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
  const { values, ca, otlpCa, problems } = await readValues(env, { readFile, resolveHost })
  if (problems.length > 0) throw new ConfigError(problems)
  return assemble(values, { ca, otlpCa, ignored: ignoredNames(variables, env) })
}

/** What is needed to reach the documents in their store, and where Loki and Tempo keep their objects. */
export type StoreConfig = Pick<Config, 's3' | 'docs' | 'loki' | 'tempo'>

/** Names of variables that are not about the store. */
export const notOfStore = (Object.keys(variables) as VariableName[]).filter((name) => !name.startsWith('S3_'))

/**
 * Reads the part of the configuration that commands need which work on the store alone, such as `bun run scrub`: the
 * `S3_*` variables. All others may be missing or wrong.
 *
 * @throws {ConfigError} with all problems of `S3_*` at once.
 */
export async function parseStoreConfig(
  env: Environment,
  readFile: ReadFile,
  resolveHost?: ResolveHost,
): Promise<StoreConfig> {
  const { values, ca, problems } = await readValues(env, { readFile, resolveHost, unread: notOfStore })
  if (problems.length > 0) throw new ConfigError(problems)
  const checked: unknown = frozen(assembleStore(values, ca))
  Value.Assert(storeConfigSchema, checked)
  return checked
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
 * @returns the decoded values, the certificates in the files that they name, and all problems.
 */
export async function readValues(
  env: Environment,
  { readFile, resolveHost = addressesOf, ...which }: ValueOptions,
): Promise<{ values: Values; ca?: string | undefined; otlpCa?: string | undefined; problems: Problem[] }> {
  const { values, problems } = readVariables(variables, env, { readFile, prefix: 'S3_', ...which })
  const certificates = certificatesIn('S3_CA_FILE', values, readFile)
  const otlpCertificates = certificatesIn('OTEL_EXPORTER_OTLP_CERTIFICATE', values, readFile)
  const all = [
    ...problems,
    ...placeProblems(values),
    ...(await transportProblems(values, resolveHost)),
    ...certificates.problems,
    ...otlpCertificates.problems,
    ...telemetryProblems(values),
  ]
  return { values, ca: certificates.pem, otlpCa: otlpCertificates.pem, problems: all }
}

/** Shorter ids and words are chosen by people (`documents`): redacting them would spoil every log line. */
export const issuedKeyIdCharsMin = 16

/** Returns the secrets in `config`, to be registered with the redaction of logs. */
export function secretsOf({ s3, ticketSigningKey, telemetry }: Config): Secret[] {
  return [
    ...(s3.accessKeyId.reveal().length >= issuedKeyIdCharsMin ? [s3.accessKeyId] : []),
    s3.secretAccessKey,
    ...(ticketSigningKey ? [ticketSigningKey] : []),
    ...headerSecrets([telemetry.traces, telemetry.logs]),
  ]
}

function assembleStore(values: Values, ca: string | undefined) {
  return {
    s3: {
      endpoint: values.S3_ENDPOINT,
      publicEndpoint: values.S3_PUBLIC_ENDPOINT ?? values.S3_ENDPOINT,
      region: values.S3_REGION,
      accessKeyId: secretFrom(values.S3_ACCESS_KEY_ID),
      secretAccessKey: secretFrom(values.S3_SECRET_ACCESS_KEY),
      forcePathStyle: values.S3_FORCE_PATH_STYLE,
      insecure: values.S3_INSECURE,
      ca,
      connectionsMax: values.S3_CONNECTIONS_MAX,
    },
    docs: placeOf(values.S3_BUCKET_DOCS, values.S3_PREFIX_DOCS),
    loki: placeOf(values.S3_BUCKET_LOKI, values.S3_PREFIX_LOKI ?? 'loki/'),
    tempo: placeOf(values.S3_BUCKET_TEMPO, values.S3_PREFIX_TEMPO ?? 'tempo/'),
  }
}

interface Surroundings {
  ca: string | undefined
  otlpCa: string | undefined
  ignored: string[]
}

function assemble(values: Values, { ca, otlpCa, ignored }: Surroundings): Config {
  const config = {
    ...assembleStore(values, ca),
    auth: {
      issuer: values.AUTH_ISSUER,
      audience: values.AUTH_AUDIENCE,
      jwksUrl: values.AUTH_JWKS_URL,
      clientId: values.AUTH_CLIENT_ID,
    },
    http: {
      host: values.HOST,
      port: values.PORT,
      publicUrl: values.PUBLIC_URL ?? listenerUrl(values.HOST ?? '', values.PORT ?? 0, 'localhost'),
    },
    documentBytesMax: values.DOCUMENT_BYTES_MAX,
    ticketSigningKey: secretFrom(values.TICKET_SIGNING_KEY),
    traceUrlTemplate: values.TRACE_URL_TEMPLATE,
    serviceName: serviceNameOf(values),
    telemetry: telemetryOf(values, otlpCa),
    metrics: metricsOf(values),
    ignored,
  }
  // Never fails after the checks above; if a check is forgotten, the service does not start half configured.
  const checked: unknown = frozen(config)
  Value.Assert(configSchema, checked)
  return checked
}

function secretFrom(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text)
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

type Destination = Static<typeof destination>

const signals = ['TRACES', 'LOGS'] as const
type Signal = (typeof signals)[number]

/** Below a general endpoint; one for a signal is taken as it is. */
const paths = { TRACES: 'v1/traces', LOGS: 'v1/logs' } as const

/** The telemetry of `values`, all of which are good. */
function telemetryOf(values: Values, ca: string | undefined) {
  const sampler = values.OTEL_TRACES_SAMPLER ?? ''
  return {
    resourceAttributes: pairsIn(values.OTEL_RESOURCE_ATTRIBUTES),
    traces: destinationOf('TRACES', values),
    logs: destinationOf('LOGS', values),
    protocol: values.OTEL_EXPORTER_OTLP_PROTOCOL,
    timeoutMilliseconds: values.OTEL_EXPORTER_OTLP_TIMEOUT,
    ca,
    sampler: {
      kind: sampler.replace('parentbased_', ''),
      followsCaller: sampler.startsWith('parentbased_'),
      ratio: Number(values.OTEL_TRACES_SAMPLER_ARG),
    },
  }
}

function metricsOf({ METRICS_HOST: host, METRICS_PORT: port }: Values) {
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
  const headers = Object.entries(pairs).map(([name, value]) => [name.toLowerCase(), new Secret(value)])
  return { url, headers: Object.fromEntries(headers) }
}

function below(endpoint: string | undefined, path: string): string | undefined {
  return endpoint === undefined ? undefined : `${endpoint.replace(/\/$/, '')}/${path}`
}

/** Returns a deeply frozen copy, without the members that are `undefined`. */
function frozen(value: object): object {
  if (value instanceof Secret) return Object.freeze(value)
  if (Array.isArray(value)) return Object.freeze([...value])
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => [name, typeof member === 'object' ? frozen(member) : member])
  return Object.freeze(Object.fromEntries(members))
}
