import { Command, CommanderError } from 'commander'
import { ArgumentError, ConnectionError, ProblemError, StoreError } from '../client/errors.ts'
import { ConfigError } from '../config/config.ts'
import { DocumentError } from '../documents/document-error.ts'
import { ObjectStoreError } from '../object-store/object-store.ts'
import { complain, failureSentence } from './output.ts'

/** The exit codes of every command (docs/commands.md). Only the service itself has others: see `main.ts`. */
export const exitCodes = {
  done: 0,
  /** The command ran and found something wrong. */
  failed: 1,
  /** Wrong usage or wrong configuration. */
  usage: 2,
  /** Something that is needed is out of reach, or the command stopped in an orderly way before it was finished. */
  incomplete: 3,
  interrupted: 130,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A failure that ends a command with one sentence for the user and an exit code, and without a stack trace. */
export abstract class CommandFailure extends Error {
  abstract readonly exitCode: ExitCode
}

/** The command ran and could not do what it was asked for. */
export class LocalFailure extends CommandFailure {
  override readonly name: string = 'LocalFailure'
  readonly exitCode = exitCodes.failed
}

/** A command line or an environment that cannot be carried out; the message says how to put it right. */
export class UsageError extends CommandFailure {
  override readonly name: string = 'UsageError'
  readonly exitCode = exitCodes.usage
}

/** Something that the command needs is out of reach, or it stopped before the end; trying again may help. */
export class IncompleteError extends CommandFailure {
  override readonly name: string = 'IncompleteError'
  readonly exitCode = exitCodes.incomplete
}

/** What a command does with its parsed flags. */
export type Work<Flags> = (
  flags: Flags,
  context: {
    /** The arguments that are not flags. */
    args: readonly string[]
    /** Aborts on the first SIGINT, SIGTERM or SIGHUP, with a reason such as `interrupted by SIGINT`. */
    signal: AbortSignal
  },
) => Promise<ExitCode>

const exitCodeHelp = `
Exit codes: 0 done, 1 something is wrong, 2 wrong usage or configuration, 3 something that is needed is out of reach
or the command stopped before the end, 130 interrupted (docs/commands.md).`

/** Creates a command with the help that all commands share. @param name as users type it, such as `bun run scrub` */
export function createCommand(name: string, description: string): Command {
  return new Command(name).description(description).exitOverride().addHelpText('afterAll', exitCodeHelp)
}

const interruption = new AbortController()

/** Sets what `command`, which may be a subcommand, does. */
export function setAction<Flags extends object>(command: Command, work: Work<Flags>): Command {
  return command.action(async () => {
    const { args } = command
    process.exitCode = await work(command.opts<Flags>(), { args, signal: interruption.signal })
  })
}

/**
 * Runs a command from its command line to its exit code, which becomes that of the process. A failure that users
 * can do something about is one sentence on standard error; any other is thrown, with its stack.
 *
 * @param work what it does; left out for a program whose subcommands have an action each.
 */
export async function runCommand<Flags extends object>(program: Command, work?: Work<Flags>): Promise<void> {
  if (work !== undefined) setAction(program, work)
  handleSignals()
  try {
    await program.parseAsync()
  } catch (error) {
    process.exitCode = exitCodeOf(error)
  }
}

/** A Ctrl-C in a terminal arrives more than once: from the terminal and through `npx`. */
const sameSignalMilliseconds = 1000

/** The first signal lets the command clean up after itself; a second one ends the process at once. */
function handleSignals(): void {
  let firstAt: number | undefined
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      firstAt ??= performance.now()
      if (performance.now() - firstAt > sameSignalMilliseconds) process.exit(exitCodes.interrupted)
      interruption.abort(new Error(`interrupted by ${name}`))
    })
  }
}

/** Reports `error` on standard error. @throws the error itself where it is a defect of the command. */
function exitCodeOf(error: unknown): ExitCode {
  // Commander has printed its part already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  // `documents list | head`: the reader has had enough, and knows it.
  if ((error as { code?: unknown } | null)?.code === 'EPIPE') return exitCodes.failed
  if (error instanceof ConfigError) return complain(error.message, exitCodes.usage)
  const { signal } = interruption
  if (error instanceof CommandFailure) return complain(`error: ${error.message}`, error.exitCode)
  if (signal.aborted) return complain(`error: ${(signal.reason as Error).message}`, exitCodes.interrupted)
  const sentence = failureSentence(error)
  if (sentence === null) throw error
  if (error instanceof ArgumentError) return complain(`error: ${sentence}`, exitCodes.usage)
  return complain(`error: ${sentence}`, isOutOfReach(error) ? exitCodes.incomplete : exitCodes.failed)
}

function isOutOfReach(error: unknown): boolean {
  if (error instanceof ProblemError) return error.status === 503
  if (error instanceof StoreError) return error.status === null
  // A record that many clients change at once.
  if (error instanceof DocumentError) return error.code === 'busy' || isOutOfReach(error.cause)
  return error instanceof ObjectStoreError || error instanceof ConnectionError
}
