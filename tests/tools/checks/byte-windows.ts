/** A piece of a stream with its surroundings. Every byte of the stream is in `[from, to)` of exactly one window. */
export interface ByteWindow {
  /** The piece is `[from, to)`; before and behind it are up to `around` bytes of its surroundings. */
  bytes: Buffer
  from: number
  to: number
  /** Line feeds in the stream before `from`. */
  linesBefore: number
}

/** Large enough that the surroundings, which are searched twice, do not matter. */
const pieceBytes = 1024 * 1024

/**
 * Reads a stream once, in windows that overlap by `around` bytes on both sides: a text of up to that length is found as a
 * whole, although the stream is never in memory as a whole.
 */
export async function* byteWindows(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  around: number,
): AsyncGenerator<ByteWindow> {
  let parts: Uint8Array[] = []
  let length = 0
  let from = 0
  let linesBefore = 0
  /** The window that ends at `to`; what the next one needs stays. */
  const cut = (to: number): ByteWindow => {
    const bytes = Buffer.concat(parts)
    const window = { bytes, from, to, linesBefore }
    linesBefore += lineFeeds(bytes, from, to)
    const kept = bytes.subarray(Math.max(0, to - around))
    parts = [kept]
    length = kept.length
    from = to - (bytes.length - kept.length)
    return window
  }
  for await (const part of stream) {
    parts.push(part)
    length += part.length
    if (length - from >= pieceBytes + around) yield cut(length - around)
  }
  if (length > from) yield cut(length)
}

/** Counts the line feeds in `[from, to)`. */
export function lineFeeds(bytes: Buffer, from: number, to: number): number {
  let count = 0
  for (let at = bytes.indexOf(10, from); at >= 0 && at < to; at = bytes.indexOf(10, at + 1)) count++
  return count
}

/** Returns the line around a position, as far as the window contains it. */
export function lineAt(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(10, at)
  const start = at === 0 ? -1 : bytes.lastIndexOf(10, at - 1)
  return bytes.toString('latin1', start + 1, end < 0 ? bytes.length : end)
}
