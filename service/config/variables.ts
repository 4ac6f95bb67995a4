import { Type } from '@sinclair/typebox'
import { limits } from '../limits.ts'
import {
  bucketProblem,
  endpointProblem,
  hostProblem,
  issuerProblem,
  loginUrlProblem,
  otlpEndpointProblem,
  traceUrlProblem,
} from './checks.ts'
import { networksProblem } from './networks.ts'
import { pairsProblem } from './pairs.ts'
import { type ValuesOf, variable } from './parse.ts'

const flag = Type.Boolean()
const text = Type.String()
const bucket = variable({
  schema: text,
  form: 'a bucket name: 3–63 of a-z, 0-9, hyphen and dot',
  meaning: 'bucket',
  rule: bucketProblem,
})
const prefix = variable({
  // 512 characters leave room for the longest key below it: S3 keys end at 1,024 bytes.
  schema: Type.String({ pattern: '^([A-Za-z0-9][A-Za-z0-9._-]*/){1,8}$', maxLength: 512 }),
  form: '1–8 segments of `[A-Za-z0-9][A-Za-z0-9._-]*`, each with a slash after it, at most 512 characters',
  meaning: 'prefix',
})
const name = Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' })

const endpoint = variable({
  schema: text,
  form: 'an http or https URL without query or user-info',
  meaning: 'endpoint',
  rule: otlpEndpointProblem,
})
const headers = variable({
  schema: text,
  form: '`name=value` pairs with commas between them, percent-encoded',
  meaning: 'headers',
  secret: true,
  rule: pairsProblem,
})
const exporter = variable({
  schema: Type.String({ pattern: '^(otlp|none)$' }),
  form: '`otlp` or `none`',
  meaning: 'exporter',
  fallback: 'otlp',
})

/** Every variable that the service reads, in the order of the table in the documentation. */
export const variables = {
  S3_ENDPOINT: variable({
    schema: text,
    form: 'an http or https URL without path, query or user-info, such as `https://fsn1.your-objectstorage.com`',
    meaning: 'endpoint of the object store',
    required: true,
    rule: endpointProblem,
  }),
  S3_PUBLIC_ENDPOINT: variable({
    schema: text,
    form: 'an http or https URL without path, query or user-info',
    meaning: 'host in signed URLs, which clients must be able to reach; has the same rules as `S3_ENDPOINT`',
    derived: '`S3_ENDPOINT`',
    rule: endpointProblem,
  }),
  S3_REGION: variable({
    schema: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9-]{0,62}$' }),
    form: 'a region such as `us-east-1` or `fsn1`',
    meaning: 'region in every signature, even if the provider ignores it',
    required: true,
  }),
  S3_ACCESS_KEY_ID: variable({
    schema: Type.String({ pattern: '^[\\x21-\\x7e]{3,128}$' }),
    form: '3–128 printable characters without a space',
    meaning: 'access key of the object store',
    required: true,
    secret: true,
  }),
  S3_SECRET_ACCESS_KEY: variable({
    schema: Type.String({ pattern: '^[\\x21-\\x7e]{8,256}$' }),
    form: '8–256 printable characters without a space',
    meaning: 'secret of that access key; signs every request to the object store',
    required: true,
    secret: true,
  }),
  S3_FORCE_PATH_STYLE: variable({
    schema: flag,
    form: '`true` or `false`',
    meaning: '`true` puts the bucket into the path instead of the host name, as MinIO needs it',
    fallback: 'false',
  }),
  S3_INSECURE: variable({
    schema: flag,
    form: '`true` or `false`',
    meaning:
      'allows plain http to a local store: required for an `http:` endpoint, refused for an `https:` one; only for ' +
      'loopback and single-label names that resolve to loopback or private addresses; never weakens certificate checks',
    fallback: 'false',
  }),
  S3_CA_FILE: variable({
    schema: text,
    form: 'a file of PEM certificates',
    meaning: 'private certificate authority of the object store',
  }),
  S3_CONNECTIONS_MAX: variable({
    schema: Type.Integer({ minimum: limits.connectionsMin, maximum: 256 }),
    form: `a whole number from ${limits.connectionsMin} to 256`,
    meaning: 'maximum of connections to the store, per replica (Hetzner allows about 256 per source address)',
    fallback: '64',
  }),
  S3_BUCKET_DOCS: variable({
    ...bucket,
    meaning: 'bucket of the documents; locally `cloudlysis-docs`',
    required: true,
  }),
  S3_PREFIX_DOCS: variable({ ...prefix, meaning: 'prefix of every document key', fallback: 'docs/' }),
  S3_BUCKET_LOKI: variable({ ...bucket, meaning: 'bucket of Loki; locally `cloudlysis-loki`' }),
  S3_PREFIX_LOKI: variable({
    ...prefix,
    meaning: 'prefix of Loki, if it has a bucket; prefixes in one bucket must not contain each other',
    derived: '`loki/`',
  }),
  S3_BUCKET_TEMPO: variable({ ...bucket, meaning: 'bucket of Tempo; locally `cloudlysis-tempo`' }),
  S3_PREFIX_TEMPO: variable({
    ...prefix,
    meaning: 'prefix of Tempo, if it has a bucket; prefixes in one bucket must not contain each other',
    derived: '`tempo/`',
  }),
  AUTH_ISSUER: variable({
    schema: text,
    form: 'the https URL that is `iss` in the tokens, character by character (http only on loopback)',
    meaning: 'OpenID issuer of the tokens; `bun run start` runs its own',
    required: true,
    rule: issuerProblem,
  }),
  AUTH_AUDIENCE: variable({
    schema: name,
    form: '1–255 printable characters without a space',
    meaning: 'audience: must be in `aud` of a token',
    required: true,
  }),
  AUTH_JWKS_URL: variable({
    schema: text,
    form: 'an https URL (http only on loopback)',
    meaning: "URL of the issuer's public keys (JWKS)",
    required: true,
    rule: loginUrlProblem,
  }),
  AUTH_CLIENT_ID: variable({
    schema: name,
    form: '1–255 printable characters without a space',
    meaning: 'OAuth client id of the UI',
    required: true,
  }),
  HOST: variable({
    schema: text,
    form: 'an address or host name such as `0.0.0.0` or `::1`, without brackets or port',
    meaning: 'address that the service listens on',
    fallback: '127.0.0.1',
    rule: hostProblem,
  }),
  PORT: variable({
    schema: Type.Integer({ minimum: 1, maximum: 65_535 }),
    form: 'a whole number from 1 to 65535',
    meaning: 'port that the service listens on',
    fallback: '8080',
  }),
  PUBLIC_URL: variable({
    schema: text,
    form: 'an http or https URL without path, query or user-info',
    meaning: 'URL at which clients reach the service',
    derived: 'from `HOST` and `PORT`',
    rule: endpointProblem,
  }),
  TRUSTED_PROXIES: variable({
    schema: text,
    form: '`none`, or addresses and CIDR blocks with commas between them, such as `10.0.1.0/24`',
    meaning:
      'proxies in front of the service: `X-Forwarded-For` of these peers, and of no others, names the client in the audit ' +
      'log, as the right-most address that is not one of them',
    fallback: 'none',
    rule: networksProblem,
  }),
  REQUESTS_MAX: variable({
    schema: Type.Integer({ minimum: 16, maximum: 4096 }),
    form: 'a whole number from 16 to 4096',
    meaning:
      'requests under way at once, per replica, uploads not counted; a lone tenant has at most half of them ' +
      '(docs/fair-shares.md)',
    fallback: String(limits.requestsMax),
  }),
  READ_VERIFICATION: variable({
    schema: Type.String({ pattern: '^(store|always)$' }),
    form: '`store` or `always`',
    meaning:
      'who verifies documents that are read: the object store where it reports a SHA-256 that it has checked ' +
      'itself, otherwise the service; or always the service (ARCHITECTURE.md, "How a download runs")',
    fallback: 'store',
  }),
  DOCUMENT_BYTES_MAX: variable({
    // The lower bound catches a number that was meant in MiB or GiB.
    schema: Type.Integer({ minimum: 1024 ** 2, maximum: limits.documentBytesMax }),
    form: `a whole number of bytes from ${1024 ** 2} (1 MiB) to ${limits.documentBytesMax} (5 GiB, what S3 takes in one put)`,
    meaning: 'largest document, in bytes',
    fallback: String(limits.documentBytesMax),
  }),
  SINGLE_REPLICA: variable({
    schema: flag,
    form: '`true` or `false`',
    meaning:
      '`true` says that no other process writes to these documents: conditions of writes are then decided in this one, ' +
      'as a store needs it that has none (docs/provisioning.md)',
    fallback: 'false',
  }),
  TICKET_SIGNING_KEY: variable({
    schema: Type.String({ pattern: '^[\\x21-\\x7e]{32,1024}(\\s+[\\x21-\\x7e]{32,1024}){0,3}$' }),
    form: '1–4 keys of 32–1024 printable characters, with a space or a line break between them',
    meaning:
      'signs upload tickets and list cursors: the first key signs, all of them verify, so that replicas understand each ' +
      'other while it rotates; may name the S3 secret, by which both are signed without this variable',
    derived: 'the S3 secret',
    secret: true,
  }),
  PROXY_FOR: variable({
    schema: Type.String({ pattern: '^(none|(store|issuer|exporter)(,(store|issuer|exporter)){0,2})$' }),
    form: '`none`, or `store`, `issuer`, `exporter` with commas between them',
    meaning:
      'which https calls go through the proxy that `HTTPS_PROXY` names, otherwise `ALL_PROXY`; `NO_PROXY` is honoured. ' +
      'Everything else goes directly, always to loopback and over plain http, whatever proxies the environment names',
    fallback: 'none',
  }),
  AUDIT_LOG_FILE: variable({
    schema: Type.String({ pattern: '^/.*[^/]$' }),
    form: 'an absolute path',
    meaning:
      'file that audit lines are appended to, instead of standard output; it may be renamed at any time, and is never ' +
      'removed or shortened by the service',
    derived: 'standard output',
  }),
  AUDIT_QUERY_URL: variable({
    ...endpoint,
    meaning:
      'base URL of the Loki that has the audit lines of this service by OTLP: admins can then ask who moved a tag, and when',
  }),
  AUDIT_QUERY_HEADERS: variable({
    ...headers,
    meaning:
      'headers of these questions, such as credentials; over plain http as `OTEL_EXPORTER_OTLP_HEADERS`',
  }),
  TRACE_URL_TEMPLATE: variable({
    schema: text,
    form: 'an https URL (http only on loopback) with `{traceId}` in its path, query or fragment',
    meaning: 'URL of a trace in your tracing UI; the Control UI links the trace id of an error to it',
    rule: traceUrlProblem,
  }),
  // The OTEL_* names and their meaning are those of OpenTelemetry:
  // https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and
  // https://opentelemetry.io/docs/specs/otel/protocol/exporter/.
  METRICS_PORT: variable({
    schema: Type.Integer({ minimum: 1, maximum: 65_535 }),
    form: 'a whole number from 1 to 65535, other than `PORT`',
    meaning:
      'port of a separate listener that answers Prometheus at `/metrics`; without it there are no metrics',
  }),
  METRICS_HOST: variable({
    schema: text,
    form: 'an address or host name such as `0.0.0.0` or `::1`, without brackets or port',
    meaning: 'address that `/metrics` listens on; anyone who can reach it can read it',
    fallback: '127.0.0.1',
    rule: hostProblem,
  }),
  OTEL_SDK_DISABLED: variable({
    schema: flag,
    form: '`true` or `false`',
    meaning: '`true` exports nothing, regardless of the other variables',
    fallback: 'false',
  }),
  OTEL_SERVICE_NAME: variable({
    schema: Type.String({ pattern: '^[\\x20-\\x7e]{1,255}$' }),
    form: '1–255 printable characters',
    meaning: 'name of the service in logs and traces',
    derived: '`service.name` of `OTEL_RESOURCE_ATTRIBUTES`, otherwise `cloudlysis-documents`',
  }),
  OTEL_RESOURCE_ATTRIBUTES: variable({
    schema: text,
    form: '`name=value` pairs with commas between them, percent-encoded',
    meaning:
      'further attributes of this service in traces and logs, such as `deployment.environment.name=staging`',
    rule: pairsProblem,
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: variable({
    ...endpoint,
    meaning:
      'base URL that traces and logs are sent to, by OTLP over HTTP: `/v1/traces` and `/v1/logs` are appended',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: variable({
    ...endpoint,
    meaning: 'URL that traces are sent to, used as it is, such as `http://tempo:4318/v1/traces`',
    derived: 'from `OTEL_EXPORTER_OTLP_ENDPOINT`',
  }),
  OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: variable({
    ...endpoint,
    meaning: 'URL that logs are sent to, used as it is, such as `http://loki:3100/otlp/v1/logs`',
    derived: 'from `OTEL_EXPORTER_OTLP_ENDPOINT`',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: variable({
    ...headers,
    meaning:
      'headers of every export, such as credentials; over plain http they are sent to loopback, private addresses ' +
      'and single-label names only',
  }),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: variable({ ...headers, meaning: 'the same, for traces only' }),
  OTEL_EXPORTER_OTLP_LOGS_HEADERS: variable({ ...headers, meaning: 'the same, for logs only' }),
  OTEL_EXPORTER_OTLP_PROTOCOL: variable({
    schema: Type.String({ pattern: '^http/(json|protobuf)$' }),
    form: '`http/json` or `http/protobuf`',
    meaning: 'encoding of exports: JSON takes less CPU of the service, protobuf half of the bytes',
    fallback: 'http/json',
  }),
  OTEL_EXPORTER_OTLP_TIMEOUT: variable({
    schema: Type.Integer({ minimum: 100, maximum: 60_000 }),
    form: 'a whole number of milliseconds from 100 to 60000',
    meaning: 'time limit of an export, all of its attempts together',
    fallback: '10000',
  }),
  OTEL_EXPORTER_OTLP_CERTIFICATE: variable({
    schema: text,
    form: 'a file of PEM certificates',
    meaning: 'private certificate authority of the endpoints',
  }),
  OTEL_TRACES_EXPORTER: variable({ ...exporter, meaning: '`none` exports no traces' }),
  OTEL_LOGS_EXPORTER: variable({
    ...exporter,
    meaning: '`none` exports no logs, for example if something collects standard output anyway',
  }),
  OTEL_TRACES_SAMPLER: variable({
    schema: Type.String({ pattern: '^(parentbased_)?(always_on|always_off|traceidratio)$' }),
    form: '`always_on`, `always_off`, `traceidratio`, or one of them after `parentbased_`',
    meaning: 'which traces are recorded; `parentbased_…` follows the decision of the caller, if there is one',
    fallback: 'parentbased_always_on',
  }),
  OTEL_TRACES_SAMPLER_ARG: variable({
    schema: Type.String({ pattern: '^(0(\\.\\d{1,9})?|1(\\.0{1,9})?)$' }),
    form: 'a number from 0 to 1, such as `0.05`',
    meaning: 'fraction of traces that `traceidratio` records',
    fallback: '1',
  }),
} as const

export type VariableName = keyof typeof variables

/** The decoded value of each variable; `undefined` where it is not set and has no fallback. */
export type Values = ValuesOf<typeof variables>

/** The values of an environment without problems: what is required or has a fallback is there. */
export type CompleteValues = {
  [Name in VariableName]: (typeof variables)[Name] extends { required: true } | { fallback: string }
    ? NonNullable<Values[Name]>
    : Values[Name]
}
