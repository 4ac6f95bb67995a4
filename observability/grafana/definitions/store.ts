import { dashboard } from '../dashboard.ts'
import { graph, stat } from '../panel.ts'
import { p95By, rateBy, rateOf } from '../query.ts'

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
          queries: [rateBy('operation', `${calls}_count`)],
        }),
        graph({
          title: 'Calls that did not succeed',
          description:
            '`unavailable`, `denied` and `rejected` are failures of the store; the others may be intended.',
          unit: 'reqps',
          queries: [
            rateBy('operation, outcome', `${calls}_count{outcome!="ok"}`, '{{operation}}: {{outcome}}'),
          ],
        }),
        graph({
          title: 'Time of a call, 95 %',
          description: 'For a GetObject, until its body begins.',
          unit: 's',
          queries: [p95By('operation', calls)],
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
          queries: [rateBy('operation', `${lokiCalls}s_total`)],
        }),
        graph({
          title: 'Failed calls',
          description: 'A `get` also fails for absent objects.',
          unit: 'reqps',
          queries: [rateBy('operation', `${lokiCalls}_failures_total`)],
        }),
        graph({
          title: 'Time of a call, 95 %',
          description: 'By operation of the client.',
          unit: 's',
          queries: [p95By('operation', `${lokiCalls}_duration_seconds`)],
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
          queries: [rateBy('operation', `${tempoCalls}_count`)],
        }),
        graph({
          title: 'Calls by status',
          description:
            '404 is an ordinary answer; 403, 429 and 5xx are failures. Calls without an answer are not counted.',
          unit: 'reqps',
          queries: [rateBy('status_code', `${tempoCalls}_count`)],
        }),
        graph({
          title: 'Time of a call, 95 %',
          description: 'By method.',
          unit: 's',
          queries: [p95By('operation', tempoCalls)],
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
          queries: [rateBy('api', 'minio_s3_requests_total')],
        }),
        graph({
          title: 'Requests that failed',
          description: '4xx and 5xx by operation; 404 and 412 are ordinary answers to some of them.',
          unit: 'reqps',
          queries: [rateBy('api', 'minio_s3_requests_errors_total')],
        }),
        graph({
          title: 'Traffic',
          description: 'Bytes in and out.',
          unit: 'Bps',
          queries: [
            rateOf('minio_s3_traffic_received_bytes', 'in'),
            rateOf('minio_s3_traffic_sent_bytes', 'out'),
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
          expr: 'max(minio_cluster_drive_offline_total)',
          redFrom: 1,
        }),
        stat({
          title: 'Requests under way',
          description: 'In the whole store.',
          expr: 'sum(minio_s3_requests_inflight_total)',
        }),
      ],
    },
  ],
})
