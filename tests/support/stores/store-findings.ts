import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import type { FindingId, Verdict } from '../../../service/object-store/probe/finding.ts'

export type StoreKind = StoreConnection['kind']

/** The stores of the matrix in the versions that the suites run, in the order of the columns below. */
export const storeColumns: readonly { kind: StoreKind; title: string }[] = [
  { kind: 'minio', title: 'MinIO 2026-02' },
  { kind: 'ceph-rgw', title: 'Ceph RGW 16.2' },
  { kind: 'seaweedfs', title: 'SeaweedFS 4.48' },
]

/**
 * What the probe finds on each store. `tests/integration/probe/probe.test.ts` holds it against the stores; the table in
 * `service/object-store/README.md` and the capabilities that tests give the service are made from it.
 */
const verdicts: Record<FindingId, readonly [Verdict, Verdict, Verdict]> = {
  credentials: ['yes', 'yes', 'yes'],
  bucket: ['yes', 'yes', 'yes'],
  clock: ['yes', 'yes', 'yes'],
  list: ['yes', 'yes', 'yes'],
  'list-after': ['yes', 'yes', 'yes'],
  'list-folders': ['yes', 'yes', 'yes'],
  'empty-object': ['yes', 'yes', 'yes'],
  'checksum-put': ['yes', 'no', 'yes'],
  'conditional-put': ['yes', 'yes', 'yes'],
  'conditional-overwrite': ['yes', 'yes', 'yes'],
  'get-if-match': ['yes', 'yes', 'yes'],
  'copy-once': ['yes', 'no', 'no'],
  'delete-expires': ['yes', 'yes', 'yes'],
  'post-policy': ['yes', 'yes', 'yes'],
  'post-policy-bounds': ['yes', 'yes', 'no'],
  'post-policy-header': ['yes', 'yes', 'yes'],
  'post-policy-digest': ['yes', 'no', 'yes'],
  'presigned-put': ['yes', 'yes', 'yes'],
  'presigned-put-bounds': ['yes', 'yes', 'yes'],
  'presigned-put-copy': ['no', 'no', 'yes'],
  'presigned-put-headers': ['no', 'no', 'yes'],
  'presigned-put-digest': ['yes', 'no', 'yes'],
  'signed-download': ['yes', 'yes', 'yes'],
  'multipart-abort': ['yes', 'yes', 'yes'],
  lifecycle: ['yes', 'yes', 'yes'],
  versioning: ['no', 'no', 'no'],
  'object-lock': ['no', 'no', 'no'],
  cors: ['yes', 'no', 'yes'],
}

/** Returns what the probe finds on that store, by row. */
export function knownVerdicts(kind: StoreKind): Record<FindingId, Verdict> {
  const column = storeColumns.findIndex((store) => store.kind === kind)
  const cells = Object.entries(verdicts).map(([id, row]) => [id, row[column] ?? 'unknown'])
  return Object.fromEntries(cells) as Record<FindingId, Verdict>
}
