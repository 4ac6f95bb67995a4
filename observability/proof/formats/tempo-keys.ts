import type { KeyForm } from './loki-keys.ts'

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/**
 * Every form of key that Tempo 2.9 and 3.0 write below their prefix (found by running them, and in
 * tempodb/backend of grafana/tempo). The tenant is `single-tenant`, or those of X-Scope-OrgID.
 */
export const tempoKeyForms: readonly KeyForm[] = [
  { name: 'block', form: new RegExp(`^[^/]+/${uuid}/(meta\\.json|data\\.parquet|index|bloom-\\d+)$`) },
  // In place of meta.json, once the block was compacted into another or has passed its retention.
  { name: 'compacted block', form: new RegExp(`^[^/]+/${uuid}/meta\\.compacted\\.json$`) },
  { name: 'tenant index', form: /^[^/]+\/index\.(json\.gz|pb\.zst)$/ },
  // Tempo 3: what its scheduler has handed out.
  { name: 'work', form: /^work\.json$/ },
  { name: 'cluster seed', form: /^tempo_cluster_seed\.json$/ },
]

/** Which file of which block a key is. */
export interface BlockKey {
  tenant: string
  block: string
  file: string
  /** The key without the file, with a slash at its end. */
  folder: string
}

/**
 * Reads the key of a block's file; a prefix before it does not matter.
 *
 * @returns `null` if it is none.
 */
export function parseBlockKey(key: string): BlockKey | null {
  const parts = new RegExp(`^((?:.*/)?([^/]+)/(${uuid})/)([^/]+)$`).exec(key)
  if (parts === null) return null
  const [, folder = '', tenant = '', block = '', file = ''] = parts
  return { tenant, block, file, folder }
}
