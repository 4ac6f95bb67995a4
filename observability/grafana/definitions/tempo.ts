import { dashboard } from '../dashboard.ts'
import { graph, stat } from '../panel.ts'
import { increaseOf, rateBy } from '../query.ts'
import { instancesStat, requestsRow } from '../server-panels.ts'

export const tempo = dashboard({
  uid: 'cloudlysis-tempo',
  title: 'Tempo',
  description:
    'Spans on their way in, into the object store, and out again. For Tempo 2.9; the metrics of 3.x have other names.',
  rows: [
    {
      title: 'Now',
      height: 4,
      panels: [
        instancesStat('tempo'),
        stat({
          title: 'Failed flushes',
          description: 'Blocks in the time shown that did not reach the store.',
          expr: 'sum(increase(tempo_ingester_failed_flushes_total[$__range]))',
          redFrom: 1,
        }),
        stat({
          title: 'Blocks in the store',
          description: 'By tenant, as last listed. Without tenants it is called `single-tenant`.',
          expr: 'max by (tenant) (tempodb_blocklist_length)',
          legend: '{{tenant}}',
        }),
        stat({
          title: 'Retention errors',
          description: 'In the time shown. If they continue, old traces stay.',
          expr: 'sum(increase(tempodb_retention_errors_total[$__range]))',
          redFrom: 1,
        }),
      ],
    },
    {
      title: 'In',
      panels: [
        graph({
          title: 'Spans',
          description: 'By tenant.',
          unit: 'cps',
          queries: [rateBy('tenant', 'tempo_distributor_spans_received_total')],
        }),
        graph({
          title: 'Bytes',
          description: 'By tenant.',
          unit: 'Bps',
          queries: [rateBy('tenant', 'tempo_distributor_bytes_received_total')],
        }),
        graph({
          title: 'Spans discarded',
          description: 'They are lost.',
          unit: 'cps',
          queries: [rateBy('tenant, reason', 'tempo_discarded_spans_total', '{{tenant}}: {{reason}}')],
        }),
      ],
    },
    {
      title: 'Into the object store',
      panels: [
        graph({
          title: 'Traces in memory',
          description: 'Not in a block yet.',
          unit: 'short',
          queries: [['sum by (tenant) (tempo_ingester_live_traces)', '{{tenant}}']],
        }),
        graph({
          title: 'Blocks flushed',
          description:
            'Failed flushes are tried again; if they continue to fail, blocks pile up on the disk.',
          unit: 'short',
          queries: [
            increaseOf('tempo_ingester_blocks_flushed_total', 'flushed'),
            increaseOf('tempo_ingester_failed_flushes_total', 'failed'),
          ],
        }),
        graph({
          title: 'Waiting for their flush',
          description: 'Operations in the queue.',
          unit: 'short',
          queries: [['sum by (instance) (tempo_ingester_flush_queue_length)', '{{instance}}']],
        }),
      ],
    },
    {
      title: 'Upkeep',
      panels: [
        graph({
          title: 'Listing the store',
          description: 'Median time of listing all blocks.',
          unit: 's',
          queries: [
            [
              'histogram_quantile(0.5, sum by (le) (rate(tempodb_blocklist_poll_duration_seconds_bucket[$__rate_interval])))',
              'seconds',
            ],
          ],
        }),
        graph({
          title: 'Errors of upkeep',
          description:
            'If compaction fails, blocks stay numerous and searches slow; if listing fails, searches miss newer blocks.',
          unit: 'short',
          queries: [
            increaseOf('tempodb_compaction_errors_total', 'compaction'),
            // Absent before the first error.
            ['sum(increase(tempodb_blocklist_poll_errors_total[$__rate_interval])) or vector(0)', 'listing'],
          ],
        }),
        graph({
          title: 'Retention',
          description: 'Blocks that were marked, blocks that were deleted, and failures.',
          unit: 'short',
          queries: [
            increaseOf('tempodb_retention_marked_for_deletion_total', 'marked'),
            increaseOf('tempodb_retention_deleted_total', 'deleted'),
            increaseOf('tempodb_retention_errors_total', 'errors'),
          ],
        }),
      ],
    },
    requestsRow({
      metric: 'tempo_request_duration_seconds',
      routes: 'api_.*',
      description: 'Searches, look-ups and the rest of its API.',
    }),
  ],
})
