import { broken, type Check, holds, type Observation } from '../../../service/cli/checks/check.ts'
import type { Marker } from '../marker.ts'
import { queryLines } from '../servers/loki-api.ts'
import { linesOf } from '../servers/otlp.ts'
import { traceById } from '../servers/tempo-api.ts'
import { rangeOf, streamQuery } from './loki-main.ts'

/** A Loki and a Tempo that both have what the same marker wrote. */
export interface JoinScene {
  readonly marker: Marker
  readonly orgId: string | undefined
  /** Origins; known once the servers run. */
  loki: () => string
  tempo: () => string
}

/** What is proved of the two together: what Grafana's links do, by hand. */
export const joinChecks: readonly Check<JoinScene>[] = [
  {
    id: 'join.log-to-trace',
    sentence: 'The trace id on the log line leads to the trace in Tempo',
    needs: ['loki.read-back', 'tempo.read-back'],
    part: 'default',
    run: fromLogToTrace,
  },
  {
    id: 'join.trace-to-log',
    sentence: 'Service and correlation id of its span lead back to the log line in Loki',
    needs: ['loki.read-back', 'tempo.read-back'],
    part: 'default',
    run: fromTraceToLog,
  },
]

async function fromLogToTrace({ loki, tempo, marker, orgId }: JoinScene): Promise<Observation> {
  const { lines } = await queryLines({ url: loki(), orgId }, streamQuery(marker), rangeOf(marker))
  const traceId = lines[0]?.structuredMetadata.trace_id ?? ''
  const trace = await traceById({ url: tempo(), orgId }, traceId)
  const names = trace?.spans.map(({ name }) => name) ?? []
  const isOurs = trace?.spans.some(({ serviceName }) => serviceName === marker.serviceName) === true
  const seen = `“${lines[0]?.text}” has trace_id ${traceId}: spans ${names.join(', ') || 'none'}`
  return isOurs ? holds(seen) : broken(seen, `a trace of ${marker.serviceName} should be there`)
}

async function fromTraceToLog({ loki, tempo, marker, orgId }: JoinScene): Promise<Observation> {
  const trace = await traceById({ url: tempo(), orgId }, marker.traceId)
  const span = trace?.spans.find(({ parentSpanId }) => parentSpanId === '')
  const correlationId = span?.attributes['correlation.id'] ?? ''
  const query = `{service_name="${span?.serviceName}"} | correlation_id="${correlationId}" | trace_id="${span?.traceId}"`
  const { lines } = await queryLines({ url: loki(), orgId }, query, rangeOf(marker))
  const expected = linesOf(marker).map(({ text }) => text)
  const got = lines.map(({ text }) => text)
  const seen = `${query} finds ${got.length} lines`
  return Bun.deepEquals(got, expected) ? holds(seen) : broken(seen, `it should be ${expected.join(', ')}`)
}
