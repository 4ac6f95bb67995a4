import { readFileSync, writeFileSync } from 'node:fs'
import { KiB } from './sample-documents.ts'

/** Resident bytes of a process now, and the most since the mark was reset (proc_pid_status(5)). */
export function resident(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytesOf = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * KiB
  return { now: bytesOf('VmRSS'), peak: bytesOf('VmHWM') }
}

/** proc_pid_clear_refs(5): the mark of the peak is reset. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}
