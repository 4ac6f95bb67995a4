import { limits } from '../limits.ts'

/**
 * Decision: staged uploads ask for a garbage collection each time `limits.garbageBytesMax` more bytes have been
 * copied. Each of their parts is copied on its way out, and promotion reads and writes everything once more, so that a
 * GiB leaves more than two GiB of dead chunks; the collector of JavaScriptCore waits until the heap has doubled, and
 * memory that is freed late is not returned to the system soon. Measured for 1 GiB without a
 * digest, peak over idle: 76–97 MiB without this, 57 MiB with it, on a busy machine. `--smol` and a
 * smaller RAM size for the collector changed nothing, an asynchronous collection little (70–87). Revisit with
 * Bun upgrades: the memory test tells.
 *
 * Downloads leave one dead copy of each byte instead of two or three, and every collection costs them: 30 % of
 * their rate at 32 MiB. They ask four times more rarely, which keeps a GiB from costing more than 128 MiB.
 *
 * The heap belongs to the process, so the count does, too.
 */
let due = 0

/**
 * Counts bytes that will be garbage and collects once there are enough.
 *
 * @param bytesMax how many bytes cause a collection.
 */
export function noteGarbage(bytes: number, bytesMax: number = limits.garbageBytesMax): void {
  due += bytes / bytesMax
  if (due < 1) return
  due = 0
  Bun.gc(true)
}
