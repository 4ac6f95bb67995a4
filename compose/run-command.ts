import { LocalFailure } from '../service/cli/command.ts'

/** What a program printed, and its exit code. */
export interface CommandResult {
  exitCode: number
  stdout: string
  stderr: string
}

export interface CommandOptions {
  /** The whole environment; default: this process's own. */
  env?: Record<string, string | undefined> | undefined
  cwd?: string | undefined
  /** After this long it is killed; its exit code is then 137 or 143. Default: 10 minutes. */
  secondsMax?: number | undefined
}

/**
 * Runs a program to its end and returns what it printed, regardless of its exit code; its standard input is
 * empty. A program that cannot be found has exit code 127.
 */
export async function runCommand(argv: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = ''] = argv
  if (Bun.which(program) === null) return { exitCode: 127, stdout: '', stderr: `${program}: not found` }
  const child = Bun.spawn(argv, {
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: (options.secondsMax ?? 600) * 1000,
  })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { exitCode: await child.exited, stdout, stderr }
}

/**
 * Runs a program as {@link runCommand} does, if it has to succeed.
 *
 * @returns its standard output.
 * @throws {CommandError} if its exit code is not 0.
 */
export async function mustRun(argv: string[], options: CommandOptions = {}): Promise<string> {
  const result = await runCommand(argv, options)
  if (result.exitCode !== 0) throw new CommandError(argv, result)
  return result.stdout
}

/** A program failed. The message has its arguments and the end of its standard error. */
export class CommandError extends LocalFailure {
  override readonly name = 'CommandError'

  constructor(
    argv: string[],
    readonly result: CommandResult,
  ) {
    super(`${argv.join(' ')}: exit code ${result.exitCode}\n${result.stderr.trimEnd().slice(-2000)}`)
  }
}
