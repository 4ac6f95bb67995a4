import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { KiB, MiB } from './sample-documents.ts'

/** What a process holds. */
export interface ProcessLoad {
  /** Resident memory. */
  memoryMiB: number
  /** Open sockets, listening ones among them. */
  sockets: number
}

/** Returns what a process holds now (proc_pid_status(5), proc_pid_fd(5)). */
export function loadOf(pid: number): ProcessLoad {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const memoryMiB = (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * KiB) / MiB
  const isSocket = (file: string) => targetOf(`/proc/${pid}/fd/${file}`).startsWith('socket:')
  return { memoryMiB: Math.round(memoryMiB), sockets: readdirSync(`/proc/${pid}/fd`).filter(isSocket).length }
}

/** Returns the CPU time that a process has taken so far, in milliseconds, to the hundredth of a second (proc_pid_stat(5)). */
export function cpuMillisecondsOf(pid: number): number {
  const [user, system] = ticksOf(pid, [11, 12])
  return (Number(user) + Number(system)) * tickMilliseconds
}

/** Returns when a process was started, in milliseconds since the epoch, to the hundredth of a second (proc_uptime(5)). */
export function startOf(pid: number): number {
  const [startedAfterBoot] = ticksOf(pid, [19])
  const [uptimeSeconds] = readFileSync('/proc/uptime', 'utf8').split(' ')
  return Date.now() - Number(uptimeSeconds) * 1000 + Number(startedAfterBoot) * tickMilliseconds
}

const tickMilliseconds = 10

/** @param fields counted from 0 after the name of the program, which is in parentheses and may contain anything. */
function ticksOf(pid: number, fields: readonly number[]): number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const values = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.map((at) => Number(values[at]))
}

/** Between the listing and the look at it a file may be closed. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    return ''
  }
}
