import { queryLines } from '../../../observability/proof/servers/loki-api.ts'
import { until } from '../waiting.ts'
import type { ObservedStack } from './observed-stack.ts'
import { sendLogRecord } from './otlp.ts'

/** Sends a line that Loki has to discard: it is hours older than one that Loki has of the same stream. */
export async function sendLateLine({ collector, loki }: Pick<ObservedStack, 'collector' | 'loki'>) {
  const sent = Date.now()
  await sendLogRecord(collector.otlpUrl, 'late', 'in time')
  const range = { from: sent - 60_000, to: sent + 60_000 }
  // The Collector may pass on two batches in any order.
  await until(async () => (await queryLines({ url: loki.url }, '{service_name="late"}', range)).lines[0])
  await sendLogRecord(collector.otlpUrl, 'late', 'late', sent - 5 * 60 * 60 * 1000)
}
