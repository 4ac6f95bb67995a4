/** What is compared of a block's meta.json (grafana/tempo, tempodb/backend/block_meta.go). */
export interface BlockMeta {
  blockID: string
  tenantID: string
  /** RFC 3339, whole seconds. */
  startTime: string
  endTime: string
  /** Traces in it. */
  totalObjects: number
  /** Size of data.parquet, in bytes. */
  size: number
  /** Number of files bloom-<n>. */
  bloomShards: number
  format: string
}

/** Reads a meta.json. @throws {Error} if it is not JSON, or a member is missing. */
export function readBlockMeta(json: string): BlockMeta {
  const meta = JSON.parse(json) as Record<string, unknown>
  const texts = ['blockID', 'tenantID', 'startTime', 'endTime', 'format']
  const numbers = ['totalObjects', 'size', 'bloomShards']
  const missing = [
    ...texts.filter((name) => typeof meta[name] !== 'string'),
    ...numbers.filter((name) => typeof meta[name] !== 'number'),
  ]
  if (missing.length > 0) throw new Error(`meta.json has no ${missing.join(', ')}`)
  return meta as unknown as BlockMeta
}

/** Returns whether the bytes begin and end with `PAR1` (Apache Parquet, "File Format"). */
export function isParquet(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (
    text.length > 12 &&
    text.toString('latin1', 0, 4) === 'PAR1' &&
    text.toString('latin1', text.length - 4) === 'PAR1'
  )
}
