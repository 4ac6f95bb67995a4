import { crc32c } from './crc32c.ts'

/** Every stream begins with this chunk: type 0xff, length 6, `sNaPpY`. */
const streamIdentifier = Uint8Array.of(0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59)
const chunkHeaderBytes = 4
const checksumBytes = 4

/** Bytes that violate the Snappy formats; the message names the rule. */
export class SnappyError extends Error {
  override readonly name = 'SnappyError'
}

/**
 * Returns the bytes of a framed Snappy stream (google/snappy, framing_format.txt), and verifies the checksum of each
 * chunk. The stream ends with `framed`, or before something that is not a chunk.
 *
 * @throws {SnappyError} if it does not begin with a stream identifier, or a chunk is damaged.
 */
export function decodeSnappyStream(framed: Uint8Array): Uint8Array {
  if (!startsWith(framed, streamIdentifier)) throw new SnappyError('no stream identifier')
  const parts: Uint8Array[] = []
  let at = streamIdentifier.length
  while (at + chunkHeaderBytes <= framed.length) {
    const type = framed[at] ?? 0
    const length = littleEndian(framed, at + 1, 3)
    const body = framed.subarray(at + chunkHeaderBytes, at + chunkHeaderBytes + length)
    // Loki writes a checksum after each stream, which is not part of it.
    if (type > 0x01 || body.length < length || length < checksumBytes) break
    parts.push(decodeChunk(type, body))
    at += chunkHeaderBytes + length
  }
  return Buffer.concat(parts)
}

/** Returns where framed streams begin in `bytes`, ascending. */
export function snappyStreamsIn(bytes: Uint8Array): number[] {
  const found: number[] = []
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = buffer.indexOf(streamIdentifier)
  while (at >= 0) {
    found.push(at)
    at = buffer.indexOf(streamIdentifier, at + 1)
  }
  return found
}

function decodeChunk(type: number, body: Uint8Array): Uint8Array {
  const content = body.subarray(checksumBytes)
  const bytes = type === 0x00 ? decodeSnappyBlock(content) : content
  if (maskedCrc32c(bytes) !== littleEndian(body, 0, 4)) throw new SnappyError('checksum of a chunk')
  return bytes
}

/** Section 3 of the framing format: a checksum of data that holds checksums would be weak. */
function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/**
 * Decompresses one raw Snappy block (google/snappy, format_description.txt).
 *
 * @throws {SnappyError} if it refers to bytes before its beginning, or has another length than it says.
 */
export function decodeSnappyBlock(block: Uint8Array): Uint8Array {
  const { value: length, next } = varint(block, 0)
  const out = new Uint8Array(length)
  let written = 0
  let at = next
  while (at < block.length) {
    const tag = block[at] ?? 0
    at += 1
    if ((tag & 3) === 0) {
      const short = (tag >>> 2) + 1
      const extra = short > 60 ? short - 60 : 0
      const size = extra === 0 ? short : littleEndian(block, at, extra) + 1
      at += extra
      if (at + size > block.length || written + size > length) throw new SnappyError('length of a literal')
      out.set(block.subarray(at, at + size), written)
      written += size
      at += size
      continue
    }
    const copy = copyOf(block, at, tag)
    at = copy.next
    if (copy.offset === 0 || copy.offset > written) throw new SnappyError('offset of a copy')
    if (written + copy.size > length) throw new SnappyError('length of a copy')
    // Byte by byte: a copy may overlap what it writes.
    for (let end = written + copy.size; written < end; written += 1) {
      out[written] = out[written - copy.offset] ?? 0
    }
  }
  if (written !== length) throw new SnappyError('length of the block')
  return out
}

function copyOf(block: Uint8Array, at: number, tag: number): { size: number; offset: number; next: number } {
  const kind = tag & 3
  if (kind === 1) {
    const offset = ((tag >>> 5) << 8) | (block[at] ?? 0)
    return { size: ((tag >>> 2) & 7) + 4, offset, next: at + 1 }
  }
  const width = kind === 2 ? 2 : 4
  return { size: (tag >>> 2) + 1, offset: littleEndian(block, at, width), next: at + width }
}

function varint(bytes: Uint8Array, start: number): { value: number; next: number } {
  let value = 0
  for (let at = start; at < Math.min(start + 5, bytes.length); at += 1) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * 2 ** (7 * (at - start))
    if (byte < 0x80) return { value, next: at + 1 }
  }
  throw new SnappyError('length at the beginning')
}

function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0
  for (let index = 0; index < width; index += 1) value += (bytes[at + index] ?? 0) * 256 ** index
  return value
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => bytes[index] === byte)
}
