import { limits } from '../limits.ts'

/**
 * Decision: uploads that are staged ask for a garbage collection each time `limits.garbageBytesMax` more bytes
 * were copied. Every part of theirs is copied on its way out, and promotion reads and writes the whole once
 * more, so that a GiB leaves more than two GiB of dead chunks; the collector of JavaScriptCore waits until the
 * heap has doubled, and what is freed late is not given back to the system soon. Measured for 1 GiB without a
 * digest, peak over idle: 76–97 MiB without this, 57 MiB with it, on a busy machine. `--smol` and a
 * smaller RAM size for the collector changed nothing, an asynchronous collection little (70–87). Revisit with
 * Bun upgrades: the memory test tells.
 *
 * Downloads leave one dead copy of each byte instead of two or three, and every collection costs them: 30 % of
 * their rate at 32 MiB. They ask four times more rarely, which is what keeps a GiB from costing more than 128 MiB.
 *
 * The heap is the process's, so this counts for the whole process.
 */
let due = 0

/**
 * Notes that `bytes` were copied to become garbage.
 *
 * @param bytesMax how many of them bring on a collection.
 */
export function noteGarbage(bytes: number, bytesMax: number = limits.garbageBytesMax): void {
  due += bytes / bytesMax
  if (due < 1) return
  due = 0
  Bun.gc(true)
}
