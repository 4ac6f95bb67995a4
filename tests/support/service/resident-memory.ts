import { readFileSync, writeFileSync } from 'node:fs'
import { KiB } from './sample-documents.ts'

/** Returns the resident bytes of a process: now, and the peak since it was reset (proc_pid_status(5)). */
export function resident(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytesOf = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * KiB
  return { now: bytesOf('VmRSS'), peak: bytesOf('VmHWM') }
}

/** Resets the peak of resident memory of a process (proc_pid_clear_refs(5)). */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}
