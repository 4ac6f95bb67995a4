import { readFileSync } from 'node:fs'

const pollMilliseconds = 500
const ancestorsMax = 6

/**
 * Resolves when one of the programs that launched this one (`bun run`, and `npx` with its shell before it) is
 * gone. They pass no signal on when they are killed, and without them nobody would know whom to stop.
 *
 * Never resolves for a script that was launched directly: who puts it in the background wants it to stay.
 */
export function launchersEnded(env: Record<string, string | undefined>): Promise<void> {
  if (env.npm_lifecycle_event === undefined) return new Promise(() => {})
  const links = launcherLinks()
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (links.every(({ child, parent }) => parentOf(child) === parent)) return
      clearInterval(timer)
      resolve()
    }, pollMilliseconds)
    timer.unref()
  })
}

interface Link {
  child: number
  parent: number
}

/** From this process up to `npx`; just to `bun run` where there is no `npx`, or where /proc does not say. */
function launcherLinks(): Link[] {
  const links: Link[] = [{ child: process.pid, parent: process.ppid }]
  for (let child = process.ppid; links.length < ancestorsMax; ) {
    const parent = parentOf(child)
    if (parent === null) break
    links.push({ child, parent })
    if (/^(npm|npx) /.test(commandOf(parent))) return links
    child = parent
  }
  return links.slice(0, 1)
}

/** The parent's process id, `null` where it cannot be known: proc(5), `/proc/<pid>/stat`, fourth field. */
function parentOf(pid: number): number | null {
  if (pid === process.pid) return process.ppid
  try {
    // The second field is the name in brackets, and may hold spaces and brackets itself.
    const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return parent === undefined ? null : Number(parent)
  } catch {
    return null
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
