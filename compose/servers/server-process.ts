import { closeSync, fstatSync, openSync } from 'node:fs'
import { LocalFailure } from '../../service/cli/command.ts'
import { makeTempFolder, removeTempFolder } from '../../service/cli/temp-folder.ts'
import { directToLoopback } from '../../service/wire/loopback.ts'

const pollMilliseconds = 50

export interface ServerCommand {
  /** Shown in errors, such as `minio`. */
  name: string
  /** Program and arguments. Arguments are visible to everyone on the machine: no secrets. */
  argv: string[]
  /** The whole environment; nothing is inherited. */
  env: Record<string, string>
  cwd: string
  /** Standard output and error are appended here. */
  logFile: string
  /** Resolves to true once the server answers. */
  isReady: () => Promise<boolean>
  readySecondsMax: number
  /** How long `stop` waits before it kills. */
  stopSecondsMax: number
  /** What `stop` sends first; default: SIGTERM. */
  stopSignal?: 'SIGTERM' | 'SIGINT'
}

/** A running server that this process started. */
export interface ServerProcess {
  pid: number
  logFile: string
  /** Freezes it (SIGSTOP): connections stay open, nothing answers. */
  pause(): void
  /** Ends a {@link pause}. */
  resume(): void
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>
  /** SIGTERM (or `stopSignal`), after `stopSecondsMax` SIGKILL, and waits until it is gone. Can be repeated. */
  stop(): Promise<void>
  /** Resolves when it is gone, however it ended, with its exit status (128 + the number of a signal). */
  exited: Promise<number>
}

/** A server ended or did not answer instead of becoming ready. `log` holds its last lines, and errors before them. */
export class ServerStartError extends LocalFailure {
  override readonly name = 'ServerStartError'

  constructor(
    message: string,
    readonly log: string,
  ) {
    super(`${message}\n${log}`)
  }
}

type StartListener = (server: Pick<ServerCommand, 'name' | 'logFile'>) => void
const startListeners: StartListener[] = []

/** Calls `listener` for every server that this process starts from now on, before the server prints anything. */
export function onServerStart(listener: StartListener): void {
  startListeners.push(listener)
}

/**
 * Starts a server and waits until it is ready. It ends with this process: on Linux however this process ends,
 * elsewhere only if it exits in order.
 *
 * @throws {ServerStartError} if it ends or is not ready in time; nothing is left running then.
 */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const log = openSync(command.logFile, 'a', 0o600)
  const { size: logStart } = fstatSync(log)
  for (const listener of startListeners) listener(command)
  const child = Bun.spawn([...dieWithParent(), ...command.argv], {
    cwd: command.cwd,
    env: command.env,
    stdin: 'ignore',
    stdout: log,
    stderr: log,
    // A Ctrl-C at the terminal reaches the whole process group, but this process decides when the server stops.
    detached: true,
  })
  closeSync(log)
  const server = control(child, command)
  try {
    await untilReady(child, command, logStart)
    return server
  } catch (error) {
    await server.kill()
    throw error
  }
}

/**
 * Starts a server that has a temporary folder of its own, which its `stop` removes at the end.
 *
 * @param start receives the folder's absolute path.
 * @throws what `start` throws; the folder is removed then.
 */
export async function inOwnFolder<Server extends { stop(): Promise<void> }>(
  name: string,
  start: (own: string) => Promise<Server>,
): Promise<Server> {
  const own = await makeTempFolder(name)
  try {
    const server = await start(own)
    const stop = async () => {
      await server.stop()
      await removeTempFolder(own)
    }
    return { ...server, stop }
  } catch (error) {
    await removeTempFolder(own)
    throw error
  }
}

let parentDeathPrefix: string[] | undefined

/**
 * Returns a prefix for `argv` that makes the kernel end the server when this process is gone for any reason
 * (prctl(2), PR_SET_PDEATHSIG): `bun test` runs no exit hooks, and SIGKILL cannot be caught. Linux only;
 * the process id is the server's own, since setpriv(1) replaces itself with it.
 */
function dieWithParent(): string[] {
  if (parentDeathPrefix === undefined) {
    const setpriv = process.platform === 'linux' ? Bun.which('setpriv') : null
    const known = setpriv !== null && Bun.spawnSync([setpriv, '--help']).stdout.includes('--pdeathsig')
    parentDeathPrefix = known ? [setpriv, '--pdeathsig', 'TERM', '--'] : []
  }
  return parentDeathPrefix
}

function control(child: Bun.Subprocess, command: ServerCommand): ServerProcess {
  const killAtExit = () => child.kill('SIGKILL')
  process.on('exit', killAtExit)
  const exited = child.exited.then((status) => {
    process.off('exit', killAtExit)
    return status
  })
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    // A frozen process acts on SIGTERM only once it runs again.
    child.kill('SIGCONT')
    const grace = setTimeout(() => child.kill('SIGKILL'), command.stopSecondsMax * 1000)
    await exited
    clearTimeout(grace)
  }
  return {
    pid: child.pid,
    logFile: command.logFile,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    stop: () => end(command.stopSignal ?? 'SIGTERM'),
    exited,
  }
}

async function untilReady(child: Bun.Subprocess, command: ServerCommand, logStart: number): Promise<void> {
  const deadline = performance.now() + command.readySecondsMax * 1000
  for (;;) {
    const isReady = await command.isReady()
    // Checked even then: another server that was there first may answer at its address.
    if (child.exitCode !== null || child.signalCode !== null) {
      const how = child.exitCode ?? child.signalCode
      throw new ServerStartError(
        `${command.name} ended (${how}) before it was ready`,
        await lastLines(command, logStart),
      )
    }
    if (isReady) return
    if (performance.now() > deadline) {
      const message = `${command.name} was not ready after ${command.readySecondsMax} s`
      throw new ServerStartError(message, await lastLines(command, logStart))
    }
    await Bun.sleep(pollMilliseconds)
  }
}

const shownLinesMax = 20
const shownErrorsMax = 5

/**
 * The last lines that this start has logged, after the first ones of level error: Tempo reports a port that is taken,
 * and then prints many more lines while it stops its modules, up to twenty of which are errors as well.
 */
async function lastLines(command: ServerCommand, logStart: number): Promise<string> {
  const lines = (await Bun.file(command.logFile).slice(logStart).text()).trimEnd().split('\n')
  const errors = lines.slice(0, -shownLinesMax).filter((line) => /\blevel=(error|fatal)\b/.test(line))
  return [...errors.slice(0, shownErrorsMax), ...lines.slice(-shownLinesMax)].join('\n')
}

/**
 * Returns the status with which a GET of `url` is answered, or `null` without an answer within two seconds; `ca` is a
 * private authority to trust.
 */
export async function statusOf(url: string, ca?: string): Promise<number | null> {
  const tls = ca === undefined ? {} : { tls: { ca } }
  try {
    const response = await fetch(url, { ...directToLoopback(url), ...tls, signal: AbortSignal.timeout(2000) })
    await response.body?.cancel()
    return response.status
  } catch {
    return null
  }
}

/** True if a GET of `url` is answered with a 2xx in time, as {@link statusOf} asks. */
export async function answersOk(url: string, ca?: string): Promise<boolean> {
  const status = await statusOf(url, ca)
  return status !== null && status >= 200 && status < 300
}
