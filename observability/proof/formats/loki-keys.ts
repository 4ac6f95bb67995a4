/** A kind of object, by its key below the prefix. */
export interface KeyForm {
  name: string
  form: RegExp
}

/**
 * Every form of key that Loki 3 writes below its prefix with a TSDB index (found by running it, and in pkg/storage,
 * pkg/compactor, pkg/analytics of grafana/loki). The tenant is `fake` with `auth_enabled: false`, otherwise that of
 * X-Scope-OrgID.
 */
export const lokiKeyForms: readonly KeyForm[] = [
  { name: 'chunk', form: /^[^/]+\/[0-9a-f]{1,16}\/[0-9a-f]+:[0-9a-f]+:[0-9a-f]{1,8}$/ },
  // One file per ingester and quarter of an hour, for all tenants.
  { name: 'index', form: /^index\/index_\d+\/\d+-[^/]+\.tsdb\.gz$/ },
  // One file per tenant, after compaction.
  { name: 'compacted index', form: /^index\/index_\d+\/[^/]+\/[^/]+\.tsdb\.gz$/ },
  { name: 'delete requests', form: /^index\/delete_requests\/delete_requests(\.sqlite)?\.gz$/ },
  // Written by a ruler, if one is configured; ours is not.
  { name: 'rule', form: /^rules\/[^/]+\/[^/]+\/[^/]+$/ },
  { name: 'cluster seed', form: /^loki_cluster_seed\.json$/ },
]

/** The parts of a chunk's key (pkg/storage/chunk/chunk.go, `newExternalKey`). */
export interface ChunkKey {
  tenant: string
  fingerprint: string
  /** Milliseconds since the epoch. */
  from: number
  through: number
  /** CRC32C of the object, hexadecimal. */
  checksum: string
}

/**
 * Reads a chunk's key, whatever prefix precedes it.
 *
 * @returns `null` if it is not the key of a chunk.
 */
export function parseChunkKey(key: string): ChunkKey | null {
  const parts = /(?:^|\/)([^/]+)\/([0-9a-f]{1,16})\/([0-9a-f]+):([0-9a-f]+):([0-9a-f]{1,8})$/.exec(key)
  if (parts === null) return null
  const [, tenant = '', fingerprint = '', from = '', through = '', checksum = ''] = parts
  return {
    tenant,
    fingerprint,
    from: Number.parseInt(from, 16),
    through: Number.parseInt(through, 16),
    checksum,
  }
}

/**
 * Returns the fingerprint that Loki gives a stream, hexadecimal as in the keys of its chunks: xxHash64 over its labels
 * by name, each name and value followed by a byte 0xff (`Labels.HashWithoutLabels` of prometheus/prometheus).
 */
export function streamFingerprint(labels: Readonly<Record<string, string>>): string {
  const separator = Buffer.of(0xff)
  const parts = Object.entries(labels)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([name, value]) => [Buffer.from(name), separator, Buffer.from(value), separator])
  return Bun.hash.xxHash64(Buffer.concat(parts)).toString(16)
}
