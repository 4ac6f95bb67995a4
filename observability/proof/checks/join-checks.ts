import { broken, type Check, holds, type Observation } from '../../../service/cli/checks/check.ts'
import type { Scene } from '../scene.ts'
import { queryLines } from '../servers/loki-api.ts'
import { linesOf } from '../servers/otlp.ts'
import { traceById } from '../servers/tempo-api.ts'
import { rangeOf, streamQuery } from './loki-main.ts'
import { type ProofCheck, proofCheck } from './proof-check.ts'

/** What the checks of the two servers together are tried on. */
export type JoinScene = Pick<Scene, 'marker' | 'orgId'>

/**
 * Returns what is proved of Loki and Tempo together: what Grafana's links do, by hand.
 *
 * @param needs the checks that find a Loki and a Tempo that have what the marker wrote, and return their origins.
 */
export function joinChecksOf(needs: {
  loki: Check<never, { url: string }>
  tempo: Check<never, { url: string }>
}): ProofCheck<JoinScene>[] {
  return [
    proofCheck({
      id: 'join.log-to-trace',
      sentence: 'The trace id on the log line leads to the trace in Tempo',
      needs,
      failures: 'Structured metadata lost on the way, another Tempo than the one that took the trace',
      async run({ marker, orgId }: JoinScene, { loki, tempo }): Promise<Observation> {
        const target = { url: loki.url, orgId }
        const { lines } = await queryLines(target, streamQuery(marker), rangeOf(marker))
        const traceId = lines[0]?.structuredMetadata.trace_id ?? ''
        const trace = await traceById({ url: tempo.url, orgId }, traceId)
        const names = trace?.spans.map(({ name }) => name) ?? []
        const isOurs = trace?.spans.some(({ serviceName }) => serviceName === marker.serviceName) === true
        const seen = `“${lines[0]?.text}” has trace_id ${traceId}: spans ${names.join(', ') || 'none'}`
        return isOurs ? holds(seen) : broken(seen, `a trace of ${marker.serviceName} should be there`)
      },
    }),
    proofCheck({
      id: 'join.trace-to-log',
      sentence: 'Service and correlation id of its span lead back to the log line in Loki',
      needs,
      failures:
        'Attributes that a Collector or Loki renames or drops, another Loki than the one that took the line',
      async run({ marker, orgId }: JoinScene, { loki, tempo }): Promise<Observation> {
        const trace = await traceById({ url: tempo.url, orgId }, marker.traceId)
        const span = trace?.spans.find(({ parentSpanId }) => parentSpanId === '')
        const correlationId = span?.attributes['correlation.id'] ?? ''
        const query = `{service_name="${span?.serviceName}"} | correlation_id="${correlationId}" | trace_id="${span?.traceId}"`
        const { lines } = await queryLines({ url: loki.url, orgId }, query, rangeOf(marker))
        const expected = linesOf(marker).map(({ text }) => text)
        const got = lines.map(({ text }) => text)
        const seen = `${query} finds ${got.length} lines`
        return Bun.deepEquals(got, expected)
          ? holds(seen)
          : broken(seen, `it should be ${expected.join(', ')}`)
      },
    }),
  ]
}
