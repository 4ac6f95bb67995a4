import { readFileSync, writeFileSync } from 'node:fs'
import { KiB, MiB } from './sample-documents.ts'

/** Returns the MiB that `work` costs a process at its peak, over what it has when it is idle. */
export async function peakOverIdle(pid: number, work: () => Promise<void>): Promise<number> {
  await Bun.sleep(1000)
  // Resets the mark of the peak (proc_pid_clear_refs(5)).
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
  const idle = resident(pid).now
  await work()
  return (resident(pid).peak - idle) / MiB
}

/** Resident bytes of a process now, and the most since the mark was reset (proc_pid_status(5)). */
function resident(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytesOf = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * KiB
  return { now: bytesOf('VmRSS'), peak: bytesOf('VmHWM') }
}
