import { lookup } from 'node:dns/promises'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Secret } from '../telemetry/secret.ts'
import { certificatesIn, placeOf, placeProblems, transportProblems } from './checks.ts'
import { decodeAll } from './decode.ts'
import { type Environment, ignoredNames, type Problem, type ReadFile, readSource } from './source.ts'
import {
  headerSecrets,
  metricsOf,
  metricsSchema,
  serviceNameOf,
  telemetryOf,
  telemetryProblems,
  telemetrySchema,
} from './telemetry.ts'
import type { ResolveHost } from './urls.ts'
import { type Values, variables } from './variables.ts'

const secret = Type.Unsafe<Secret>(Type.Object({}))
const place = Type.Object({ bucket: Type.String(), prefix: variables.S3_PREFIX_DOCS.schema })

/** What the service is told from outside. Frozen, and good: see {@link parseConfig}. */
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
  /** Names that are set and mean nothing here. */
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
 * Reads the configuration contract (docs/configuration.md) out of an environment.
 *
 * @param readFile reads the file that an `…_FILE` variable names, as text.
 * @param resolveHost addresses of a host name, asked only for a single-label host with plain http.
 * @throws {ConfigError} with all problems at once.
 */
export async function parseConfig(
  env: Environment,
  readFile: ReadFile,
  resolveHost: ResolveHost = addressesOf,
): Promise<Config> {
  const { values, ca, otlpCa, problems } = await readValues(env, readFile, resolveHost)
  if (problems.length > 0) throw new ConfigError(problems)
  return assemble(values, { ca, otlpCa, ignored: ignoredNames(env) })
}

/** What is needed to reach the documents in their store, and where others keep theirs; nothing else. */
export type StoreConfig = Pick<Config, 's3' | 'docs' | 'loki' | 'tempo'>

/**
 * The part of the contract that programs need which work on the store and answer nobody (`bun run scrub`):
 * the `S3_*` variables. All others may be missing or wrong.
 *
 * @throws {ConfigError} with all problems of `S3_*` at once.
 */
export async function parseStoreConfig(
  env: Environment,
  readFile: ReadFile,
  resolveHost: ResolveHost = addressesOf,
): Promise<StoreConfig> {
  const ofStore = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('S3_')))
  const { values, ca, problems } = await readValues(ofStore, readFile, resolveHost)
  const storeProblems = problems.filter(({ variable }) => variable.startsWith('S3_'))
  if (storeProblems.length > 0) throw new ConfigError(storeProblems)
  const checked: unknown = frozen(assembleStore(values, ca))
  Value.Assert(storeConfigSchema, checked)
  return checked
}

async function readValues(env: Environment, readFile: ReadFile, resolveHost: ResolveHost) {
  const source = readSource(env, readFile)
  const { values, problems } = decodeAll(source)
  const certificates = certificatesIn('S3_CA_FILE', values, readFile)
  const otlpCertificates = certificatesIn('OTEL_EXPORTER_OTLP_CERTIFICATE', values, readFile)
  const all = [
    ...source.problems,
    ...problems,
    ...placeProblems(values),
    ...(await transportProblems(values, resolveHost)),
    ...certificates.problems,
    ...otlpCertificates.problems,
    ...telemetryProblems(values),
  ]
  return { values, ca: certificates.pem, otlpCa: otlpCertificates.pem, problems: all }
}

/** Shorter ones are chosen by people (`documents`), and redacting such a word would spoil every log line. */
const issuedKeyIdCharsMin = 16

/** The secrets in `config`, to be registered with the redaction of logs. */
export function secretsOf({ s3, ticketSigningKey, telemetry }: Config): Secret[] {
  return [
    ...(s3.accessKeyId.reveal().length >= issuedKeyIdCharsMin ? [s3.accessKeyId] : []),
    s3.secretAccessKey,
    ...(ticketSigningKey ? [ticketSigningKey] : []),
    ...headerSecrets([telemetry.traces, telemetry.logs], issuedKeyIdCharsMin),
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
      publicUrl: values.PUBLIC_URL ?? urlOf(values.HOST, values.PORT),
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

function urlOf(host = '', port = 0): string {
  // Nobody can connect to "every address".
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

export async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

/** A frozen copy, all the way down, without the members that are `undefined`. */
function frozen(value: object): object {
  if (value instanceof Secret) return Object.freeze(value)
  if (Array.isArray(value)) return Object.freeze([...value])
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => [name, typeof member === 'object' ? frozen(member) : member])
  return Object.freeze(Object.fromEntries(members))
}
