import { closeSync, openSync, writeSync } from 'node:fs'

/** Where log lines go. */
export interface LineDestination {
  /**
   * Takes one line with its newline; returns once the operating system has it.
   *
   * @throws the error of the write, such as `EPIPE` or `ENOSPC`.
   */
  write(line: string): void
}

const descriptor = 1
const fullPipeWaitMilliseconds = 1

/**
 * Standard output, written synchronously: a line that is buffered when the process dies is lost, and an audit line
 * must not be. A reader that falls behind makes the writer wait; nothing is dropped.
 */
export const standardOutput: LineDestination = {
  write: (line) => writeAll(descriptor, Buffer.from(line)),
}

/** Readable by the group as well, for whatever ships the file. */
const fileMode = 0o640

/**
 * Returns a destination that appends to a file. Each line opens it (7 µs instead of 2), so a rotation that renames the
 * file loses nothing and has to tell no one. Several processes may share the file: appended lines do not mix.
 *
 * @throws the error of the first attempt to open the file, such as `EACCES`.
 */
export function appendingTo(path: string): LineDestination {
  closeSync(openSync(path, 'a', fileMode))
  // After a write that failed half-way, as on a full disk, the next line must not continue the torn one.
  let isTorn = false
  return {
    write(line) {
      const file = openSync(path, 'a', fileMode)
      try {
        const text = isTorn ? `\n${line}` : line
        isTorn = true
        writeAll(file, Buffer.from(text))
        isTorn = false
      } finally {
        closeSync(file)
      }
    },
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  let written = 0
  while (written < bytes.length) written += writeSome(file, bytes.subarray(written))
}

/** Returns the number of bytes written; 0 after a short wait if a non-blocking pipe is full. */
function writeSome(file: number, bytes: Uint8Array): number {
  try {
    return writeSync(file, bytes)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EAGAIN') throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, fullPipeWaitMilliseconds)
    return 0
  }
}
