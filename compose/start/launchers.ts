import { readFileSync } from 'node:fs'

const pollMilliseconds = 500
const ancestorsMax = 6

/**
 * Resolves when one of the programs that launched this one is gone: `bun run`, and `npx` with its shell above it.
 * Neither passes on a SIGTERM or SIGHUP that is sent to `npx` alone, as `kill $!` does after `npx … &` (measured:
 * npm 10, Bun 1.4), and what it launched would hold the port indefinitely. A terminal that closes signals all of them.
 *
 * Never resolves for a script that was launched directly: run in the background, it is meant to stay.
 */
export function launchersEnded(env: Record<string, string | undefined>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (env.npm_lifecycle_event === undefined) return promise
  const before = launchers().join()
  const timer = setInterval(() => {
    if (launchers().join() === before) return
    clearInterval(timer)
    resolve()
  }, pollMilliseconds)
  timer.unref()
  return promise
}

/** Returns the process ids from the parent up to `npx`; the parent's alone where there is no `npx` above it. */
function launchers(): number[] {
  const pids: number[] = []
  for (let pid = process.ppid; pid > 1 && pids.length < ancestorsMax; pid = parentOf(pid)) {
    pids.push(pid)
    if (/^(npm|npx) /.test(read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))) return pids
  }
  return [process.ppid]
}

/** Reads proc(5), `/proc/<pid>/stat`: the fourth field, after the name in brackets. @returns 0 where it is unknown */
function parentOf(pid: number): number {
  const [, parent = 0] = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? []
  return Number(parent)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
