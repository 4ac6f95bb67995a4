import { fileURLToPath } from 'node:url'
import { mustRun, runCommand } from '../../../compose/run-command.ts'
import { keepPrinted } from '../printed.ts'
import { registerSecret } from '../secrets.ts'

const script = fileURLToPath(new URL('../../../compose/start/start.ts', import.meta.url))
const keptLogs = fileURLToPath(new URL('../kept-logs.ts', import.meta.url))
const tokenScript = fileURLToPath(new URL('../../../service/cli/token/token.ts', import.meta.url))
const linkScript = fileURLToPath(new URL('../../../service/cli/link/link.ts', import.meta.url))

export interface StartRun {
  pid: number
  /** Resolves with all of standard output when it holds `ready <link>`. @throws {Error} if it ends without. */
  ready: Promise<string>
  /** What both streams have printed so far. */
  printed(): string
  /** SIGTERM, and its exit code. */
  stop(): Promise<number>
  exited: Promise<number>
}

/** An engine that is not there: whatever the machine has, `start` tries the next way. */
export const noDocker = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' }

/** Starts `bun run start` with its state in `local`, and with this environment and no other. */
export function runStart(local: string, port: number, env: Record<string, string | undefined>): StartRun {
  const { HOME, PATH, TEST_PRINTED_FOLDER } = process.env
  const child = Bun.spawn([process.execPath, '--preload', keptLogs, script, '--local', local], {
    env: { HOME, PATH, TEST_PRINTED_FOLDER, PORT: String(port), ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let printed = ''
  const { promise: ready, resolve, reject } = Promise.withResolvers<string>()
  // A test that only waits for the end need not handle this.
  ready.catch(() => {})
  const follow = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const bytes of stream) {
      printed += decoder.decode(bytes, { stream: true })
      keepPrinted('start', bytes)
      if (/^ready \S+\n/m.test(printed)) resolve(printed)
    }
  }
  const done = Promise.all([follow(child.stdout), follow(child.stderr)])
  const exited = child.exited.then(async (code) => {
    await done
    reject(new Error(`start ended with ${code}:\n${printed}`))
    return code
  })
  const stop = () => {
    child.kill('SIGTERM')
    return exited
  }
  return { pid: child.pid, ready, printed: () => printed, stop, exited }
}

/** A token for tenant `acme` of the start on that port, by `bun run token`. */
export async function tokenOf(local: string, port: number): Promise<string> {
  const options = ['--local', local, '--port', String(port), '--tenant', 'acme']
  const scope = ['--scope', 'documents:read documents:write']
  const { stdout, stderr, exitCode } = await runCommand([process.execPath, tokenScript, ...options, ...scope])
  if (exitCode !== 0) throw new Error(stderr)
  registerSecret(stdout.trim())
  return stdout.trim()
}

/** Another link to the UI of the start on that port, by `bun run link`. */
export async function linkOf(local: string, port: number): Promise<string> {
  const options = ['--local', local, '--port', String(port)]
  return (await mustRun([process.execPath, linkScript, ...options])).trim()
}
