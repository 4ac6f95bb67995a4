import { dashboard, labelVariable } from '../dashboard.ts'
import { clickedLabel, exploreLink } from '../explore-link.ts'
import { graph, logLines, stat, traceList } from '../panel.ts'
import { increaseBy, logQuery, p95By, rateBy, traceQuery } from '../query.ts'

const service = 'cloudlysis-documents'
const requests = 'http_server_request_duration_seconds'
/** Variables at the top of the dashboard. */
const chosen = 'route=~"$route"'
const ofRoute = clickedLabel('route')

const failedTraces = exploreLink(
  'Traces of its failed requests',
  traceQuery(`{ resource.service.name = "${service}" && span.http.route = "${ofRoute}" && status = error }`),
)
const linesOfRoute = exploreLink(
  'Log lines of its requests',
  logQuery(`{service_name="${service}"} | cloudlysis_event="request.answered" | json | route="${ofRoute}"`),
)

export const documents = dashboard({
  uid: 'cloudlysis-documents',
  title: 'Document service',
  description: 'Requests, integrity, upload tickets and telemetry of the document service.',
  variables: [labelVariable('route', 'Route', `${requests}_count`)],
  rows: [
    {
      title: 'Now',
      height: 4,
      panels: [
        stat({
          title: 'Replicas',
          description: 'Replicas that return their metrics.',
          expr: 'sum(up{job="documents"})',
        }),
        stat({
          title: 'Object store',
          description: '1 if the latest call to the store was answered.',
          expr: 'min(documents_store_reachable)',
        }),
        stat({
          title: 'Audit log',
          description: '1 if every replica can write its audit lines.',
          expr: 'min(documents_audit_writable)',
        }),
        stat({
          title: 'Integrity mismatches',
          description:
            'Reads in the time shown whose bytes did not match their digest. Anything but 0 is an incident.',
          expr: 'sum(increase(documents_integrity_mismatches_total[$__range]))',
          redFrom: 1,
        }),
        stat({
          title: 'Version',
          description: 'Running versions, and the number of their replicas.',
          expr: 'count by (version) (build_info{job="documents"})',
          legend: '{{version}}',
        }),
      ],
    },
    {
      title: 'Requests',
      panels: [
        graph({
          title: 'Requests by route',
          description: 'Answered requests per second.',
          unit: 'reqps',
          queries: [rateBy('method, route', `${requests}_count{${chosen}}`)],
          links: [linesOfRoute],
        }),
        graph({
          title: 'Failed requests by route',
          description: 'Share of answers with a 5xx. An alert fires above 5 %.',
          unit: 'percentunit',
          queries: [
            [
              `sum by (method, route) (rate(${requests}_count{${chosen}, status=~"5.."}[$__rate_interval]))` +
                ` / sum by (method, route) (rate(${requests}_count{${chosen}}[$__rate_interval]))`,
              '{{method}} {{route}}',
            ],
          ],
          links: [failedTraces, linesOfRoute],
        }),
        graph({
          title: 'Time to answer by route, 95 %',
          description:
            'Until the answer begins; for uploads that includes the time in which the client sends.',
          unit: 's',
          queries: [p95By('method, route', requests, `{${chosen}}`)],
        }),
      ],
    },
    {
      title: 'Answers',
      panels: [
        graph({
          title: 'Answers by status',
          description: 'All answers, including refusals.',
          unit: 'reqps',
          stacked: true,
          queries: [rateBy('status', `${requests}_count{${chosen}}`)],
        }),
        graph({
          title: 'Requests under way',
          description: 'Requests whose answer has not begun. If the number only grows, something is stuck.',
          unit: 'short',
          queries: [['sum by (instance) (http_server_active_requests)', '{{instance}}']],
        }),
        graph({
          title: 'Answers that broke off',
          description:
            'Bodies that failed after their answer had begun: damaged bytes, or a store that broke off.',
          unit: 'short',
          queries: [increaseBy('instance', 'http_server_responses_broken_off_total')],
        }),
      ],
    },
    {
      title: 'Uploads straight to the store',
      panels: [
        graph({
          title: 'Upload tickets',
          description: 'By method; `none`: no ticket could be given, since no method is safe or known.',
          unit: 'reqps',
          stacked: true,
          queries: [rateBy('method', 'documents_upload_tickets_total')],
        }),
        stat({
          title: 'Known capabilities of the store',
          description: 'Results of the latest probe of each replica.',
          expr: 'count by (capability, state) (documents_store_capability == 1)',
          legend: '{{capability}}: {{state}}',
        }),
      ],
    },
    {
      title: 'Process',
      panels: [
        graph({
          title: 'CPU',
          description: 'Cores in use. One is all that the JavaScript of a replica can use.',
          unit: 'short',
          queries: [rateBy('instance', 'process_cpu_seconds_total{job="documents"}')],
        }),
        graph({
          title: 'Memory',
          description: 'Resident memory.',
          unit: 'bytes',
          queries: [['process_resident_memory_bytes{job="documents"}', '{{instance}}']],
        }),
        graph({
          title: 'Event loop lag, 99 %',
          description: 'Delay of timers: every request waits at least this long.',
          unit: 's',
          queries: [['nodejs_eventloop_lag_p99_seconds{job="documents"}', '{{instance}}']],
        }),
      ],
    },
    {
      title: 'Telemetry of the service',
      panels: [
        graph({
          title: 'Telemetry delivered',
          description: 'Spans and log records that the Collector, or Loki and Tempo, have accepted.',
          unit: 'cps',
          queries: [rateBy('signal', 'telemetry_exported_total')],
        }),
        graph({
          title: 'Telemetry lost',
          description:
            'Spans and log records that were dropped, and why. Standard output still has all lines.',
          unit: 'cps',
          queries: [rateBy('signal, reason', 'telemetry_dropped_total', '{{signal}}: {{reason}}')],
        }),
      ],
    },
    {
      title: 'Logs and traces',
      height: 12,
      panels: [
        logLines({
          title: 'Warnings and errors',
          description: 'Each line leads to its trace.',
          expr: `{service_name="${service}"} | detected_level=~"warn|error"`,
        }),
        traceList({
          title: 'Failed or slow requests',
          description: 'Traces with an error, or longer than a second.',
          query: `{ resource.service.name = "${service}" && (status = error || traceDuration > 1s) }`,
        }),
      ],
    },
    {
      title: 'Access',
      height: 12,
      panels: [
        graph({
          title: 'Tokens verified by old keys',
          description: 'The keys of the token issuer could not be read again in time: it is out of reach.',
          unit: 'cps',
          queries: [rateBy('instance', 'documents_issuer_stale_keys_total')],
        }),
        logLines({
          title: 'Refusals',
          description: 'Audit lines of the time shown: who was refused what, and by which rule.',
          expr: `{service_name="${service}"} | cloudlysis_kind="audit" | json | decision="denied"`,
        }),
        logLines({
          title: 'Changes',
          description:
            'Audit lines of the time shown: who changed what, from which version to which, and whether it succeeded.',
          expr: `{service_name="${service}"} | cloudlysis_event="access.answered"`,
        }),
      ],
    },
  ],
})
