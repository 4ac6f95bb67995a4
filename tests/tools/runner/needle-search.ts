import type { ByteWindow } from '../checks/byte-windows.ts'

/** Bytes to search for, and the number of the secret that they are a form of. */
export interface Needle {
  bytes: Buffer
  secret: number
}

/** Needles are compared by their ends, because all tokens of one issuer begin alike. */
const endBytes = 16
const factor = 0x01000193
const bitCount = 1 << 20

/**
 * Creates a search for thousands of texts at once, in one pass over the bytes, by a rolling hash of their last 16 bytes
 * (Karp and Rabin, "Efficient randomized pattern-matching algorithms", 1987). The search returns where each text begins
 * that ends within a window.
 *
 * @param needles each at least 16 bytes long, and at most as long as the surroundings of a window.
 */
export function createNeedleSearch(
  needles: readonly Needle[],
): (window: ByteWindow) => { at: number; secret: number }[] {
  const byHash = new Map<number, Needle[]>()
  // One bit rules out nearly every byte of a log.
  const seen = new Uint8Array(bitCount)
  for (const needle of needles) {
    const { bytes } = needle
    if (bytes.length < endBytes) throw new Error('a needle is too short')
    const hash = hashOf(bytes, bytes.length - endBytes)
    byHash.set(hash, [...(byHash.get(hash) ?? []), needle])
    seen[hash & (bitCount - 1)] = 1
  }
  // The factor that the oldest of sixteen bytes has been multiplied by.
  let oldest = 1
  for (let step = 1; step < endBytes; step++) oldest = Math.imul(oldest, factor)

  return ({ bytes, from, to }) => {
    const found: { at: number; secret: number }[] = []
    const first = Math.max(0, from - endBytes + 1)
    if (to - first < endBytes) return found
    let hash = hashOf(bytes, first)
    for (let end = first + endBytes; ; end++) {
      if (seen[hash & (bitCount - 1)] === 1) {
        for (const needle of byHash.get(hash) ?? []) {
          const at = end - needle.bytes.length
          if (at >= 0 && bytes.compare(needle.bytes, 0, needle.bytes.length, at, end) === 0)
            found.push({ at, secret: needle.secret })
        }
      }
      if (end >= to) return found
      const without = hash - Math.imul(bytes[end - endBytes] ?? 0, oldest)
      hash = (Math.imul(without, factor) + (bytes[end] ?? 0)) | 0
    }
  }
}

function hashOf(bytes: Buffer, from: number): number {
  let hash = 0
  for (let at = from; at < from + endBytes; at++) hash = (Math.imul(hash, factor) + (bytes[at] ?? 0)) | 0
  return hash
}
