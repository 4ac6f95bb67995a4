import { dashboard } from '../dashboard.ts'
import { graph, stat } from '../panel.ts'
import { increaseBy, rateBy, rateOf } from '../query.ts'
import { instancesStat, requestsRow } from '../server-panels.ts'

const compacted = 'loki_boltdb_shipper_compact_tables_operation_last_successful_run_timestamp_seconds'

export const loki = dashboard({
  uid: 'cloudlysis-loki',
  title: 'Loki',
  description: 'Log lines on their way in, into the object store, and out again.',
  rows: [
    {
      title: 'Now',
      height: 4,
      panels: [
        instancesStat('loki'),
        stat({
          title: 'Failed flushes',
          description:
            'Chunks in the time shown that did not reach the store. Loki still reports that it is ready.',
          expr: 'sum(increase(loki_ingester_chunks_flush_failures_total[$__range]))',
          redFrom: 1,
        }),
        stat({
          title: 'Chunks in memory',
          description: 'Not in the store yet, but also in the write-ahead log.',
          expr: 'sum(loki_ingester_memory_chunks)',
        }),
        stat({
          title: 'Since the last compaction',
          description: 'Age of the latest compaction of the index; an alert fires after three hours.',
          unit: 's',
          expr: `time() - max by (instance) (${compacted} > 0)`,
          redFrom: 10_800,
        }),
      ],
    },
    {
      title: 'In',
      panels: [
        graph({
          title: 'Lines',
          description: 'By tenant; without tenants it is called `fake`.',
          unit: 'cps',
          queries: [rateBy('tenant', 'loki_distributor_lines_received_total')],
        }),
        graph({
          title: 'Bytes',
          description: 'By tenant, lines only.',
          unit: 'Bps',
          queries: [rateBy('tenant', 'loki_distributor_bytes_received_total')],
        }),
        graph({
          title: 'Lines refused',
          description: 'They are lost: the sender will not send them again.',
          unit: 'cps',
          queries: [rateBy('tenant, reason', 'loki_discarded_samples_total', '{{tenant}}: {{reason}}')],
        }),
      ],
    },
    {
      title: 'Into the object store',
      panels: [
        graph({
          title: 'Chunks flushed',
          description: 'By the reason of the flush.',
          unit: 'cps',
          stacked: true,
          queries: [rateBy('reason', 'loki_ingester_chunks_flushed_total')],
        }),
        graph({
          title: 'Flushes and failures',
          description: 'Failed flushes are tried again; if they continue to fail, chunks pile up.',
          unit: 'cps',
          queries: [
            rateOf('loki_ingester_chunks_flush_requests_total', 'tried'),
            rateOf('loki_ingester_chunks_flush_failures_total', 'failed'),
          ],
        }),
        graph({
          title: 'Index uploads',
          description: 'By outcome. Every quarter of an hour, and when Loki stops.',
          unit: 'short',
          queries: [['sum by (status) (loki_tsdb_shipper_tables_upload_operation_total)', '{{status}}']],
        }),
      ],
    },
    {
      title: 'Upkeep',
      panels: [
        graph({
          title: 'Compactions',
          description: 'Runs by outcome. Loki counts some runs that could not list the store as a success.',
          unit: 'short',
          queries: [increaseBy('status', 'loki_boltdb_shipper_compact_tables_operation_total')],
        }),
        graph({
          title: 'Retention',
          description: 'Runs by outcome; nothing without retention.',
          unit: 'short',
          queries: [increaseBy('status', 'loki_compactor_apply_retention_operation_total')],
        }),
        graph({
          title: 'Write-ahead log',
          description: 'Share of its disk that is in use.',
          unit: 'percentunit',
          queries: [['loki_ingester_wal_disk_usage_percent', '{{instance}}']],
        }),
      ],
    },
    requestsRow({
      metric: 'loki_request_duration_seconds',
      routes: 'loki_api.*|otlp.*',
      description: 'Pushes and queries.',
    }),
  ],
})
