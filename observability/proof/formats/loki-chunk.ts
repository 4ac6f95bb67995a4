import { decodeSnappyStream, snappyStreamsIn } from './snappy.ts'

/** What a Loki chunk contains before its log lines (grafana/loki, pkg/storage/chunk/chunk.go). */
export interface LokiChunk {
  tenant: string
  /** Hexadecimal, as in the key. */
  fingerprint: string
  /** Milliseconds since the epoch, of the first and the last line. */
  from: number
  through: number
  labels: Record<string, string>
  /** Everything after the description, decompressed as far as it is Snappy; it contains the log lines. */
  contents: Uint8Array
}

/** The object is not a chunk; the message says why. */
export class LokiChunkError extends Error {
  override readonly name = 'LokiChunkError'
}

/** First bytes of the log lines' part, whatever its version and compression. */
const dataMagic = 0x012ee56a
const lengthBytes = 4

interface Description {
  userID: string
  from: number
  through: number
  metric: Record<string, string>
}

/**
 * Reads a chunk's object: 4 bytes length, a framed Snappy stream of JSON that describes it, 4 bytes length, and the log
 * lines. It uses no code of Loki.
 *
 * @throws {LokiChunkError} or {SnappyError} if it is not a chunk.
 */
export function readLokiChunk(object: Uint8Array): LokiChunk {
  const view = new DataView(object.buffer, object.byteOffset, object.byteLength)
  const dataAt = object.length > 2 * lengthBytes ? view.getUint32(0) : object.length
  if (dataAt <= lengthBytes || dataAt + 2 * lengthBytes > object.length) {
    throw new LokiChunkError('the length at the beginning is not that of a description')
  }
  const data = object.subarray(dataAt + lengthBytes)
  if (view.getUint32(dataAt) !== data.length) throw new LokiChunkError('the log lines are cut off')
  if (view.getUint32(dataAt + lengthBytes) !== dataMagic) throw new LokiChunkError('no log lines follow')
  const json = new TextDecoder().decode(decodeSnappyStream(object.subarray(lengthBytes, dataAt)))
  const { userID, from, through, metric } = JSON.parse(json) as Description
  return {
    tenant: userID,
    fingerprint: fingerprintIn(json),
    // Times are seconds with three decimals.
    from: Math.round(from * 1000),
    through: Math.round(through * 1000),
    labels: metric,
    contents: decompressed(data),
  }
}

/** A 64 bit number, which `JSON.parse` would round. */
function fingerprintIn(json: string): string {
  const digits = /"fingerprint":\s*"?(\d+)/.exec(json)?.[1]
  if (digits === undefined) throw new LokiChunkError('the description has no fingerprint')
  return BigInt(digits).toString(16)
}

/** With `chunk_encoding: none` there are no streams, and the lines are readable as they are. */
function decompressed(data: Uint8Array): Uint8Array {
  const streams = snappyStreamsIn(data).map((at) => decodeSnappyStream(data.subarray(at)))
  return streams.length === 0 ? data : Buffer.concat(streams)
}
