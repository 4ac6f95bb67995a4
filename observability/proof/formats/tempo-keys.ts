import type { KeyForm } from './loki-keys.ts'

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/**
 * Every form of key that Tempo 2.9 and 3.0 write below their prefix (found by running them, and in tempodb/backend of
 * grafana/tempo). The tenant is `single-tenant`, or that of X-Scope-OrgID.
 */
export const tempoKeyForms: readonly KeyForm[] = [
  { name: 'block', form: new RegExp(`^[^/]+/${uuid}/(meta\\.json|data\\.parquet|index|bloom-\\d+)$`) },
  // Replaces meta.json once the block was compacted into another one or is older than the retention.
  { name: 'compacted block', form: new RegExp(`^[^/]+/${uuid}/meta\\.compacted\\.json$`) },
  { name: 'tenant index', form: /^[^/]+\/index\.(json\.gz|pb\.zst)$/ },
  // Tempo 3: the jobs that its scheduler has assigned.
  { name: 'work', form: /^work\.json$/ },
  { name: 'cluster seed', form: /^tempo_cluster_seed\.json$/ },
]

/** The parts of the key of a block's file. */
export interface BlockKey {
  tenant: string
  block: string
  file: string
  /** The key without the file, with a slash at its end. */
  folder: string
}

/**
 * Reads the key of a block's file, whatever prefix precedes it.
 *
 * @returns `null` if it is not the key of one.
 */
export function parseBlockKey(key: string): BlockKey | null {
  const parts = new RegExp(`^((?:.*/)?([^/]+)/(${uuid})/)([^/]+)$`).exec(key)
  if (parts === null) return null
  const [, folder = '', tenant = '', block = '', file = ''] = parts
  return { tenant, block, file, folder }
}
