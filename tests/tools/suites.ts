import type { TestStore } from '../support/stores/store.ts'
import type { NeedName } from './runner/needs.ts'

/** What a suite runs against: a real store, no store, or one in memory. */
export type RunStore = TestStore | 'none' | 'memory'

/** A folder of tests. It runs as one process per store. */
export interface Suite {
  /** Folder below `tests/`. */
  name: string
  /** What kind of tests belong here. */
  holds: string
  /** Every file of the folder runs on each of these, except those in `apart`. The runner starts them. */
  stores: readonly RunStore[]
  /** Files that run on one store only (or need none), by name without `.test.ts`; a comment says why. */
  apart?: Partial<Record<RunStore, readonly string[]>>
  /** Files that run in `bun run test:long` alone, by name without `.test.ts`: even a small one of their kind takes too long. */
  onlyLong?: readonly string[]
  /** What has to be on the machine, beyond what its stores need. */
  needs: readonly NeedName[]
  /** It mostly waits for servers to start, stop or come back, so it runs next to suites that work. Default: it works. */
  waits?: true
}

/** The stores that the service supports (README.md). */
const matrix = ['minio', 'ceph-rgw', 'seaweedfs'] as const

/**
 * All suites, in the order in which they begin: first the quick ones, which tell soonest that something is broken, then the
 * longest, so that no lane is left with a long one at the end.
 */
export const suites: Suite[] = [
  {
    name: 'unit',
    holds: 'pure functions, rules about the repository, programs without a store',
    stores: ['none'],
    needs: ['node'],
  },
  {
    name: 'contract',
    holds: 'one suite for every object store, raw and under a prefix',
    stores: [...matrix, 'minio-tls'],
    apart: {
      memory: ['memory-object-store'],
      // What the adapter does with a store that is slow or unreachable, whichever it is.
      minio: ['s3-connections', 's3-failures', 's3-pace', 's3-tries'],
    },
    needs: [],
  },
  {
    name: 'interleavings',
    holds:
      'the domain in memory: in which order its calls to the store happen, which are lost or late, who is killed',
    stores: ['none'],
    needs: [],
  },
  {
    name: 'http',
    holds: 'the HTTP API on a real socket: every status, every header',
    stores: ['minio'],
    needs: [],
  },
  {
    name: 'wire',
    holds: 'raw sockets: what hand-written clients see',
    stores: ['minio'],
    needs: [],
  },
  {
    name: 'sequences',
    holds: 'random sequences of calls, compared with a model of a document',
    stores: ['minio', 'ceph-rgw'],
    // Faults of the service, not of the store.
    apart: { minio: ['planted-faults'] },
    needs: [],
  },
  {
    name: 'integration',
    holds: 'the service on a real store',
    stores: matrix,
    apart: {
      minio: [
        // Read or change MinIO's own files: each starts its own MinIO.
        'documents/integrity',
        'maintenance/scrub',
        'documents/listing-forgotten',
        'documents/upload-failures',
        'documents/upload-sizes',
        'tickets/completion-other-etags',
        // MinIO in buckets without lifecycle rules, and a SeaweedFS of its own.
        'maintenance/listings',
        // Measures the service, not the store.
        'documents/memory',
        'tickets/ticket-memory',
        'documents/client-ticket-memory',
        // What the service reports about itself, whatever its store is.
        'telemetry/export',
        'telemetry/metrics',
        'telemetry/trouble',
        // Give MinIO the properties of another store, by a proxy or by the configured capabilities.
        'tickets/completion-promotion',
        'documents/odd-conditions',
        'probe/basics',
        'probe/bucket',
        'probe/no-answer',
        'probe/causes',
        'probe/tickets',
        'probe/writes',
        'store-servers/proxy',
        'store-servers/forward-proxy',
        // Creates users, in a MinIO of its own.
        'provisioning/minio',
        // About MinIO: its copy hole with and without a proxy in front of it, and its TLS.
        'tickets/tickets-put',
        'tickets/tickets-deployed',
      ],
      // The first ones start RGWs of their own, the others a MinIO to move documents to.
      'ceph-rgw': [
        'store-servers/rgw',
        'probe/conditions',
        'provisioning/rgw',
        'provisioning/runbook',
        'maintenance/migrate',
      ],
    },
    // promtool reads the metrics of the service.
    needs: ['node', 'openssl', 'prometheus'],
  },
  {
    name: 'e2e',
    holds: 'what people run: start, the command line, the compose stack',
    stores: ['minio'],
    needs: [
      'git',
      'curl',
      'compose',
      'docker',
      // Of the proxy's image.
      'haproxy',
      // What the images of the observability stack are packed from.
      'loki',
      'tempo',
      'otel-collector',
      'toxiproxy',
      'prometheus',
    ],
  },
  {
    name: 'browser',
    holds: 'the Control UI in a real Chromium',
    stores: ['minio', 'ceph-rgw'],
    apart: {
      // Tests the browser helpers, without a store.
      none: ['browser'],
      // The store plays no part in signing in and in how a state looks, that of 100,000 documents
      // is in memory, and start brings its own.
      minio: ['sign-in-link', 'sign-in-oidc', 'states', 'scale', 'start'],
    },
    needs: ['chromium'],
  },
  {
    name: 'swarm',
    holds:
      'the deployment, its second store, and Loki and Tempo next to it by their runbooks, on a Swarm of one node',
    // Its own, behind TLS.
    stores: ['none'],
    // The last three are what images are packed from.
    needs: ['docker', 'rgw', 'minio', 'openssl', 'curl', 'haproxy', 'loki', 'tempo', 'otel-collector'],
    waits: true,
  },
  {
    name: 'observability',
    holds: 'Loki, Tempo and what watches them, on a real store: configurations, proof, alerts, dashboards',
    stores: ['minio', 'ceph-rgw'],
    apart: {
      // Nothing is started.
      none: ['alerts-rules', 'config-strict'],
      minio: [
        // Independent of the store; alerts and dashboards start, stop and kill their own.
        'alerts',
        'dashboards',
        'validate-against',
        'validate-exit-codes',
        'validate-self-test',
        // The whole proof, which takes minutes.
        'validate-whole',
      ],
      // The proof on an RGW that it starts itself, behind TLS, and with the keys of a project.
      'ceph-rgw': ['provisioned-rights', 'validate-rgw'],
    },
    needs: ['openssl', 'compose', 'loki', 'tempo', 'otel-collector', 'toxiproxy', 'prometheus'],
    waits: true,
  },
  {
    name: 'histories',
    holds: 'three replicas on one bucket: races, faults and kills, and whether every promise was kept',
    stores: ['minio', 'ceph-rgw'],
    // Its MinIO has a disk that can be filled.
    apart: { minio: ['disk-full'] },
    // Waits twice until a DELETE cannot act any more.
    onlyLong: ['late-deletes'],
    needs: ['toxiproxy'],
  },
  {
    name: 'faults',
    holds: 'a store that stalls, dies and lies',
    stores: ['minio'],
    // Races end differently on RGW, which one file starts as well.
    needs: ['rgw'],
  },
]
