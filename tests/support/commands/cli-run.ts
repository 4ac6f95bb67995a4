import { fileURLToPath } from 'node:url'

/** For a test that starts it in its own way. */
export const docsScript: string = fileURLToPath(
  new URL('../../../service/cli/documents/documents.ts', import.meta.url),
)

export interface Finished {
  code: number
  stdout: string
  stderr: string
}

export interface RunOptions {
  env?: Record<string, string>
  cwd?: string
  stdin?: Uint8Array<ArrayBuffer>
}

/** Starts `bun run documents …` with this environment and no other. Standard error is a pipe, so without a bar. */
export function startDocs(args: readonly string[], { env = {}, cwd, stdin }: RunOptions = {}) {
  return Bun.spawn([process.execPath, docsScript, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdin: stdin ?? 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

/** Runs it to its end. */
export async function docs(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = startDocs(args, options)
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, stdout, stderr }
}
