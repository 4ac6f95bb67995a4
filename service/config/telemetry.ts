import { type Static, Type } from '@sinclair/typebox'
import { Secret } from '../telemetry/secret.ts'
import { pairsIn } from './pairs.ts'
import type { Problem } from './source.ts'
import { plainSecretProblem } from './urls.ts'
import { type Values, variables } from './variables.ts'

/** Where one signal goes: the whole URL, and the headers of every export, values that nobody may see. */
const destination = Type.Object({
  url: Type.String(),
  headers: Type.Record(Type.String(), Type.Unsafe<Secret>(Type.Object({}))),
})

/** What is exported, to where and how. Without `traces` or `logs` that signal goes nowhere. */
export const telemetrySchema = Type.Object({
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

/** Where `/metrics` is answered. */
export const metricsSchema = Type.Object({
  host: Type.String(),
  port: variables.METRICS_PORT.schema,
})

type Destination = Static<typeof destination>

const signals = ['TRACES', 'LOGS'] as const
type Signal = (typeof signals)[number]

/** Below a general endpoint; one for a signal is taken as it is. */
const paths = { TRACES: 'v1/traces', LOGS: 'v1/logs' } as const

/** The telemetry of `values`, all of which are good. */
export function telemetryOf(values: Values, ca: string | undefined) {
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

export function metricsOf({ METRICS_HOST: host, METRICS_PORT: port }: Values) {
  return port === undefined ? undefined : { host, port }
}

/** OpenTelemetry, "General SDK configuration": the variable for the name comes before the attribute. */
export function serviceNameOf(values: Values): string {
  const attributes = pairsIn(values.OTEL_RESOURCE_ATTRIBUTES)
  return values.OTEL_SERVICE_NAME ?? attributes['service.name'] ?? 'cloudlysis-documents'
}

/** What no variable can tell alone. */
export function telemetryProblems(values: Values): Problem[] {
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

/** The secrets among the headers, as far as they are long enough not to be words that stand in logs anyway. */
export function headerSecrets(
  destinations: readonly (Destination | undefined)[],
  charsMin: number,
): Secret[] {
  const values = destinations.flatMap((one) => Object.values(one?.headers ?? {}))
  // `Bearer` and what follows it: either may be quoted without the other.
  const words = values.flatMap((value) => [value.reveal(), ...value.reveal().split(' ')])
  return words.filter((word) => word.length >= charsMin).map((word) => new Secret(word))
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
