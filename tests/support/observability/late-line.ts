import { queryLines } from '../../../observability/proof/servers/loki-api.ts'
import type { ObservedStack } from './observed-stack.ts'
import { sendLogRecord } from './otlp.ts'

/** Sends a line that Loki has to discard: hours older than one of the same stream that it has. */
export async function sendLateLine({ collector, loki }: Pick<ObservedStack, 'collector' | 'loki'>) {
  const sent = Date.now()
  await sendLogRecord(collector.otlpUrl, 'late', 'in time')
  const range = { from: sent - 60_000, to: sent + 60_000 }
  // The Collector may hand on two batches in any order.
  while ((await queryLines({ url: loki.url }, '{service_name="late"}', range)).lines.length === 0)
    await Bun.sleep(100)
  await sendLogRecord(collector.otlpUrl, 'late', 'late', sent - 5 * 60 * 60 * 1000)
}
