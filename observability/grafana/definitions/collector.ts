import { dashboard } from '../dashboard.ts'
import { graph, stat } from '../panel.ts'
import { rateBy, rateOf } from '../query.ts'
import { instancesStat } from '../server-panels.ts'

/** Losses of both signals in one step. Each counter appears with the first loss. */
function lostBy(step: 'send' | 'enqueue', why: string): string {
  const [spans, records] = ['spans', 'log_records'].map(
    (signal) => `rate(otelcol_exporter_${step}_failed_${signal}[$__rate_interval])`,
  )
  return `label_replace(${spans} or ${records}, "why", "${why}", "", "")`
}

export const collector = dashboard({
  uid: 'cloudlysis-collector',
  title: 'Collector',
  description:
    'The OpenTelemetry Collector between the services, Loki and Tempo: what it receives, queues and sends.',
  rows: [
    {
      title: 'Now',
      height: 4,
      panels: [
        instancesStat('collector'),
        stat({
          title: 'Fullest queue',
          description: 'Share of its capacity. What does not fit is lost.',
          unit: 'percentunit',
          expr: 'max(otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)',
          redFrom: 0.8,
        }),
        stat({
          title: 'Memory',
          description: 'Resident memory; above its limit the Collector refuses telemetry.',
          unit: 'bytes',
          expr: 'max(otelcol_process_memory_rss)',
        }),
      ],
    },
    {
      title: 'In',
      panels: [
        graph({
          title: 'Received',
          description: 'Spans and log records, by transport.',
          unit: 'cps',
          queries: [
            rateBy('transport', 'otelcol_receiver_accepted_spans', 'spans, {{transport}}'),
            rateBy('transport', 'otelcol_receiver_accepted_log_records', 'log records, {{transport}}'),
          ],
        }),
        graph({
          title: 'Refused',
          description: 'The memory limiter is at work; senders try again.',
          unit: 'cps',
          queries: [
            rateOf('otelcol_receiver_refused_spans', 'spans'),
            rateOf('otelcol_receiver_refused_log_records', 'log records'),
          ],
        }),
      ],
    },
    {
      title: 'Out',
      panels: [
        graph({
          title: 'Sent',
          description: 'Spans to Tempo, log records to Loki.',
          unit: 'cps',
          queries: [
            rateBy('exporter', 'otelcol_exporter_sent_spans', 'spans, {{exporter}}'),
            rateBy('exporter', 'otelcol_exporter_sent_log_records', 'log records, {{exporter}}'),
          ],
        }),
        graph({
          title: 'Waiting',
          description: 'Bytes in the queue of each exporter, which holds 64 MiB by default.',
          unit: 'bytes',
          queries: [['max by (exporter) (otelcol_exporter_queue_size)', '{{exporter}}']],
        }),
        graph({
          title: 'Lost',
          description:
            'Spans and log records that were refused permanently or did not fit into the queue. Both raise alerts.',
          unit: 'cps',
          queries: [
            [
              `sum by (exporter, why) (${lostBy('send', 'refused')} or ${lostBy('enqueue', 'no room')})`,
              '{{why}}, {{exporter}}',
            ],
          ],
        }),
      ],
    },
  ],
})
