/**
 * How each check fails, as far as we have seen it fail or know that it would: what an operator looks at first.
 * By id; for the table in README.md, where a test wants one for each check.
 */
export const failures: Readonly<Record<string, string>> = {
  setup:
    'No Go toolchain or Docker Engine, a configured store without the bucket variables, a store that does not start',
  'loki.reach':
    'A wrong URL, a Loki that is not ready, a bucket that is not there or not readable with these keys',
  'loki.preflight':
    'Keys without the right to do one of them, a store that refuses parts, an older Loki’s objects below the prefix',
  'loki.start': 'A setting that Loki does not know, keys or bucket that are refused while retention is on',
  'loki.landing':
    'OTLP refused, chunks that cannot be written, a flush that never comes: the index and WAL hide it until the disk is lost',
  'loki.objects':
    'Bytes that changed on their way or in the store, another tenant, labels that the deployment adds or drops',
  'loki.query': 'Another bucket or prefix than the deployment’s, structured metadata switched off',
  'loki.index': 'Killed instead of stopped, `flush_on_shutdown` missing, a grace period that is too short',
  'loki.read-back':
    'The index is not where the chunks are, structured metadata switched off, a client that reads another prefix than it writes',
  'loki.origin': 'The disk was not empty: what looks like the store was the ingester’s log',
  'loki.wrong-secret': 'A store that takes any key; a Loki that no longer counts what it cannot write',
  'loki.wrong-bucket':
    'A bucket that is made when it is missing; a Loki that no longer counts what it cannot write',
  'loki.wrong-prefix': 'Prefixes that are ignored, or reach into each other',
  'loki.outage': 'Chunks given up after too few tries, a WAL switched off, an outage that was none',
  'loki.retention':
    'A compactor that does not run or may not delete, a retention that is another one than is thought',
  'loki.delete': '`delete_request_store` or `deletion_mode` missing, keys without the right to delete',
  'loki.containment':
    'No prefix, a ruler that `common.storage.s3` has started, analytics; another writer in the same bucket',
  'loki.untouched': 'Whoever writes or deletes outside of the prefix, such as a retention without one',
  'tempo.reach':
    'A wrong URL, a Tempo that is not ready, a bucket that is not there or not readable with these keys',
  'tempo.preflight':
    'Keys without the right to do one of them, a store that refuses parts, an older Tempo’s blocks below the prefix',
  'tempo.copy':
    'A store that fails at CopyObject (Hetzner documents that it may): retention then fails silently, so keep a lifecycle rule',
  'tempo.start': 'A setting that Tempo does not know, keys or bucket that are refused, a port that is taken',
  'tempo.landing': 'OTLP refused, a receiver on localhost only, blocks that cannot be written',
  'tempo.objects': 'Bytes that changed on their way or in the store, another tenant, a block that is cut off',
  'tempo.query':
    'Another bucket or prefix than the deployment’s, a search that does not look into blocks that are as young',
  'tempo.read-back': 'A prefix that is read differently than written, blocks that lack a file',
  'tempo.search':
    '`query_backend_after` left at 15 minutes: young blocks are left to an ingester that is gone',
  'tempo.origin': 'The disk was not empty: what looks like the store was the ingester’s own block',
  'tempo.wrong-secret': 'A store that takes any key',
  'tempo.wrong-bucket': 'A bucket that is made when it is missing',
  'tempo.wrong-prefix': 'Prefixes that are ignored, or reach into each other',
  'tempo.outage': 'Blocks given up after too few tries, an outage that was none',
  'tempo.retention':
    'Copying fails, a compactor that does not run, a retention that is another one than is thought',
  'tempo.containment':
    'No prefix: then other folders of the bucket are taken for tenants; usage reports; another writer in the same bucket',
  'tempo.untouched': 'Whoever writes or deletes outside of the prefix, such as a retention without one',
  'join.log-to-trace': 'Structured metadata lost on the way, another Tempo than the one that took the trace',
  'join.trace-to-log':
    'Attributes that a Collector or Loki renames or drops, another Loki than the one that took the line',
}
