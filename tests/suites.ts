import type { NeedName } from './runner/needs.ts'

/** A folder of tests that runs as one process. */
export interface Suite {
  /** Folder below `tests/`. */
  name: string
  /** What kind of tests belong here. */
  holds: string
  /** The object store that its tests run against, for the table. */
  store: 'none' | 'memory' | 'MinIO' | 'memory, MinIO, SeaweedFS'
  /** What has to be on the machine; MinIO is also started, once for all suites. */
  needs: NeedName[]
  /** Longer means that it hangs: it is stopped and has failed. */
  minutesMax: number
}

/** Ordered by what they need: the first ones tell soonest that something is broken. */
export const suites: Suite[] = [
  {
    name: 'unit',
    holds: 'pure functions, rules about the repository, programs without a store',
    store: 'none',
    needs: ['node'],
    minutesMax: 5,
  },
  {
    name: 'contract',
    holds: 'one suite for every object store, raw and behind its decorators',
    store: 'memory, MinIO, SeaweedFS',
    needs: ['minio', 'pip'],
    minutesMax: 8,
  },
  {
    name: 'http',
    holds: 'the HTTP API in process: every status, every header',
    store: 'memory',
    needs: ['minio'],
    minutesMax: 5,
  },
  {
    name: 'wire',
    holds: 'raw sockets: what clients of their own making see',
    store: 'MinIO',
    needs: ['minio'],
    minutesMax: 5,
  },
  {
    name: 'integration',
    holds: 'the service on a real store',
    store: 'MinIO',
    needs: ['minio'],
    minutesMax: 10,
  },
  {
    name: 'e2e',
    holds: 'what people run: start, the command line, the compose stack',
    store: 'MinIO',
    needs: ['minio', 'git', 'curl', 'compose', 'docker'],
    minutesMax: 12,
  },
  {
    name: 'faults',
    holds: 'a store that stalls, dies and lies',
    store: 'MinIO',
    needs: ['minio'],
    minutesMax: 10,
  },
]
