import { writeSync } from 'node:fs'
import type { LineDestination } from './logger.ts'

const descriptor = 1
const fullPipeWaitMilliseconds = 1

/**
 * Standard output, written synchronously: a line that is buffered when the process dies is lost, and an audit
 * line may not be. A reader that falls behind makes the writer wait; nothing is dropped.
 */
export const standardOutput: LineDestination = {
  write(line) {
    const bytes = Buffer.from(line)
    let written = 0
    while (written < bytes.length) written += writeSome(bytes.subarray(written))
  },
}

/** Number of bytes taken; 0 after a short wait where a non-blocking pipe is full. */
function writeSome(bytes: Uint8Array): number {
  try {
    return writeSync(descriptor, bytes)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EAGAIN') throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fullPipeWaitMilliseconds)
    return 0
  }
}
