import { dashboard } from '../dashboard.ts'
import { graph, stat } from '../panel.ts'

const calls = 'object_store_call_duration_seconds'
const lokiCalls = 'loki_objstore_bucket_operation'
const tempoCalls = 'tempodb_backend_request_duration_seconds'

export const store = dashboard({
  uid: 'cloudlysis-store',
  title: 'Object store',
  description:
    'The store as the document service, Loki and Tempo see it, and the metrics of MinIO itself. Ceph RGW and Hetzner ' +
    'Object Storage have no metrics of their own.',
  rows: [
    {
      title: 'Seen by the document service',
      panels: [
        graph({
          title: 'Calls',
          description: 'By operation of the S3 API.',
          unit: 'reqps',
          queries: [[`sum by (operation) (rate(${calls}_count[$__rate_interval]))`, '{{operation}}']],
        }),
        graph({
          title: 'Calls that did not succeed',
          description:
            '`unavailable`, `denied` and `rejected` are failures of the store; the others may be intended.',
          unit: 'reqps',
          queries: [
            [
              `sum by (operation, outcome) (rate(${calls}_count{outcome!="ok"}[$__rate_interval]))`,
              '{{operation}}: {{outcome}}',
            ],
          ],
        }),
        graph({
          title: 'Time of a call, 95 %',
          description: 'For a GetObject, until its body begins.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.95, sum by (operation, le) (rate(${calls}_bucket[$__rate_interval])))`,
              '{{operation}}',
            ],
          ],
        }),
      ],
    },
    {
      title: 'Seen by Loki (thanos client)',
      panels: [
        graph({
          title: 'Calls',
          description: 'By operation of the client.',
          unit: 'reqps',
          queries: [[`sum by (operation) (rate(${lokiCalls}s_total[$__rate_interval]))`, '{{operation}}']],
        }),
        graph({
          title: 'Failed calls',
          description: 'A `get` also fails for absent objects.',
          unit: 'reqps',
          queries: [
            [`sum by (operation) (rate(${lokiCalls}_failures_total[$__rate_interval]))`, '{{operation}}'],
          ],
        }),
        graph({
          title: 'Time of a call, 95 %',
          description: 'By operation of the client.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.95, sum by (operation, le)` +
                ` (rate(${lokiCalls}_duration_seconds_bucket[$__rate_interval])))`,
              '{{operation}}',
            ],
          ],
        }),
      ],
    },
    {
      title: 'Seen by Tempo',
      panels: [
        graph({
          title: 'Calls',
          description: 'By method. One small search takes hundreds of ranged GETs.',
          unit: 'reqps',
          queries: [[`sum by (operation) (rate(${tempoCalls}_count[$__rate_interval]))`, '{{operation}}']],
        }),
        graph({
          title: 'Calls by status',
          description:
            '404 is an ordinary answer; 403, 429 and 5xx are failures. Calls without an answer are not counted.',
          unit: 'reqps',
          queries: [
            [`sum by (status_code) (rate(${tempoCalls}_count[$__rate_interval]))`, '{{status_code}}'],
          ],
        }),
        graph({
          title: 'Time of a call, 95 %',
          description: 'By method.',
          unit: 's',
          queries: [
            [
              `histogram_quantile(0.95, sum by (operation, le) (rate(${tempoCalls}_bucket[$__rate_interval])))`,
              '{{operation}}',
            ],
          ],
        }),
      ],
    },
    {
      title: 'MinIO: requests',
      panels: [
        graph({
          title: 'Requests',
          description: 'By operation, all clients together.',
          unit: 'reqps',
          queries: [['sum by (api) (rate(minio_s3_requests_total[$__rate_interval]))', '{{api}}']],
        }),
        graph({
          title: 'Requests that failed',
          description: '4xx and 5xx by operation; 404 and 412 are ordinary answers to some of them.',
          unit: 'reqps',
          queries: [['sum by (api) (rate(minio_s3_requests_errors_total[$__rate_interval]))', '{{api}}']],
        }),
        graph({
          title: 'Traffic',
          description: 'Bytes in and out.',
          unit: 'Bps',
          queries: [
            ['sum(rate(minio_s3_traffic_received_bytes[$__rate_interval]))', 'in'],
            ['sum(rate(minio_s3_traffic_sent_bytes[$__rate_interval]))', 'out'],
          ],
        }),
      ],
    },
    {
      title: 'MinIO: drives',
      height: 4,
      panels: [
        stat({
          title: 'Free',
          description: 'Share of the usable capacity.',
          unit: 'percentunit',
          expr: 'sum(minio_cluster_capacity_usable_free_bytes) / sum(minio_cluster_capacity_usable_total_bytes)',
        }),
        stat({
          title: 'Drives offline',
          description: 'Anything but 0 is an incident.',
          unit: 'short',
          expr: 'max(minio_cluster_drive_offline_total)',
          redFrom: 1,
        }),
        stat({
          title: 'Requests under way',
          description: 'In the whole store.',
          unit: 'short',
          expr: 'sum(minio_s3_requests_inflight_total)',
        }),
      ],
    },
  ],
})
