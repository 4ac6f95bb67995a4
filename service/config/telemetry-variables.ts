import { Type } from '@sinclair/typebox'
import { pairsProblem } from './pairs.ts'
import { hostProblem, otlpEndpointProblem } from './urls.ts'
import { variable } from './variable.ts'

const flag = Type.Boolean()
const text = Type.String()
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

/**
 * What the service says about itself, and to whom. The `OTEL_*` names and their meaning are those of
 * OpenTelemetry: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/.
 */
export const telemetryVariables = {
  METRICS_PORT: variable({
    schema: Type.Integer({ minimum: 1, maximum: 65_535 }),
    form: 'a whole number from 1 to 65535, other than `PORT`',
    meaning: 'where `/metrics` answers Prometheus, on a listener of its own; nothing is counted without it',
  }),
  METRICS_HOST: variable({
    schema: text,
    form: 'an address or host name such as `0.0.0.0` or `::1`, without brackets or port',
    meaning: 'where `/metrics` listens: anyone who reaches it may read it',
    fallback: '127.0.0.1',
    rule: hostProblem,
  }),
  OTEL_SDK_DISABLED: variable({
    schema: flag,
    form: '`true` or `false`',
    meaning: '`true` exports nothing, whatever else is set',
    fallback: 'false',
  }),
  OTEL_SERVICE_NAME: variable({
    schema: Type.String({ pattern: '^[\\x20-\\x7e]{1,255}$' }),
    form: '1–255 printable characters',
    meaning: 'name of the service in logs and traces',
    derived: '`service.name` of `OTEL_RESOURCE_ATTRIBUTES`, else `cloudlysis-documents`',
  }),
  OTEL_RESOURCE_ATTRIBUTES: variable({
    schema: text,
    form: '`name=value` pairs with commas between them, percent-encoded',
    meaning:
      'what else is said of this service in traces and logs, such as `deployment.environment.name=staging`',
    rule: pairsProblem,
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: variable({
    ...endpoint,
    meaning: 'where traces and logs go, by OTLP over HTTP: to `/v1/traces` and `/v1/logs` below it',
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: variable({
    ...endpoint,
    meaning: 'where traces go, taken as it is, such as `http://tempo:4318/v1/traces`',
    derived: 'from `OTEL_EXPORTER_OTLP_ENDPOINT`',
  }),
  OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: variable({
    ...endpoint,
    meaning: 'where logs go, taken as it is, such as `http://loki:3100/otlp/v1/logs`',
    derived: 'from `OTEL_EXPORTER_OTLP_ENDPOINT`',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: variable({
    ...headers,
    meaning:
      'headers of every export, such as credentials; plain http takes them to loopback, private addresses and ' +
      'single-label names only',
  }),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: variable({ ...headers, meaning: 'the same, for traces alone' }),
  OTEL_EXPORTER_OTLP_LOGS_HEADERS: variable({ ...headers, meaning: 'the same, for logs alone' }),
  OTEL_EXPORTER_OTLP_PROTOCOL: variable({
    schema: Type.String({ pattern: '^http/(json|protobuf)$' }),
    form: '`http/json` or `http/protobuf`',
    meaning: 'how exports are written: JSON takes less of our CPU, protobuf half of the bytes',
    fallback: 'http/json',
  }),
  OTEL_EXPORTER_OTLP_TIMEOUT: variable({
    schema: Type.Integer({ minimum: 100, maximum: 60_000 }),
    form: 'a whole number of milliseconds from 100 to 60000',
    meaning: 'after which an export is given up, all of its tries together',
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
    meaning: '`none` exports no logs, for example where something reads standard output anyway',
  }),
  OTEL_TRACES_SAMPLER: variable({
    schema: Type.String({ pattern: '^(parentbased_)?(always_on|always_off|traceidratio)$' }),
    form: '`always_on`, `always_off`, `traceidratio`, or one of them after `parentbased_`',
    meaning: 'which traces are recorded; `parentbased_…` follows the caller where it has decided',
    fallback: 'parentbased_always_on',
  }),
  OTEL_TRACES_SAMPLER_ARG: variable({
    schema: Type.String({ pattern: '^(0(\\.\\d{1,9})?|1(\\.0{1,9})?)$' }),
    form: 'a number from 0 to 1, such as `0.05`',
    meaning: 'share of traces that `traceidratio` records',
    fallback: '1',
  }),
} as const
