import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { ConfigError } from '../config/config.ts'
import { ObjectStoreError } from '../object-store/object-store.ts'
import { printable } from './failure.ts'
import { integerIn } from './local-issuer/local-command.ts'
import { openStorePair, type StorePair } from './store-pair.ts'

/** Commands that work on two stores: `bun run migrate` and `bun run compare`. */

export const exitCodes = { done: 0, failed: 1, usage: 2, missing: 3 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export const mebibyte = 1024 * 1024

export interface PairFlags {
  reverse?: true
  parallel: number
  /** MiB per second. */
  rate: number
  json?: true
}

/** A command line that cannot be carried out; the message says how to put it right. */
export class PairUsageError extends Error {
  override readonly name = 'PairUsageError'
}

export function pairCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--reverse', 'source and target change places: the way back')
    .option('--parallel <n>', 'documents worked on at once', parseParallel, 8)
    .option('--rate <MiB/s>', 'move at most this much, all together', parseRate, 64)
    .option('--json', 'one JSON object per line')
    .exitOverride()
}

/** For the end of the help. */
export const pairEnvironmentHelp = `
The source is what the S3_* variables of the service name, the target what the same variables with TARGET_ before
them name (TARGET_S3_ENDPOINT, TARGET_S3_SECRET_ACCESS_KEY_FILE, …): the same names, rules and defaults.`

/**
 * Runs the command on both stores. What stops it is told on standard error.
 *
 * @param work told when to stop by `signal`; fails with {@link ObjectStoreError} where a store does.
 */
export async function runPairCommand<Flags extends PairFlags>(
  command: Command,
  work: (pair: StorePair, flags: Flags, signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const interruption = new AbortController()
  process.once('SIGINT', () => interruption.abort())
  process.once('SIGTERM', () => interruption.abort())
  let pair: StorePair | undefined
  try {
    const flags = command.parse().opts<Flags>()
    pair = await openStorePair(Bun.env, flags.reverse === true)
    refuseTooMany(pair, flags)
    return await work(pair, flags, interruption.signal)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    if (error instanceof PairUsageError) return complain(`error: ${error.message}`, exitCodes.usage)
    if (error instanceof ConfigError) return complain(error.message, exitCodes.missing)
    if (interruption.signal.aborted) return complain('error: interrupted', exitCodes.missing)
    if (error instanceof ObjectStoreError)
      return complain(`error: ${storeSentence(error)}`, exitCodes.missing)
    throw error
  } finally {
    pair?.close()
  }
}

export function complain(message: string, exitCode: ExitCode): ExitCode {
  process.stderr.write(`${message.split('\n').map(printable).join('\n')}\n`)
  return exitCode
}

/** What people can do about it, where that is clear. */
export function storeSentence(error: ObjectStoreError): string {
  if (error.code === 'denied') return `${error.message}: look at its key, its secret and the rights they have`
  if (error.reason === 'NoSuchBucket') return `${error.message}: the bucket has to be there before`
  return error.message
}

/** A copy holds a connection to each store; were there fewer, copies would wait for each other. */
function refuseTooMany({ source, target }: StorePair, { parallel }: PairFlags): void {
  const most = Math.min(source.connectionsMax, target.connectionsMax)
  if (parallel <= most) return
  throw new PairUsageError(`--parallel ${parallel} is more than S3_CONNECTIONS_MAX of both stores (${most})`)
}

function parseParallel(text: string): number {
  return integerIn(text, 1, 256, 'Give a whole number')
}

function parseRate(text: string): number {
  const rate = Number(text)
  if (/^\d{1,6}(\.\d{1,3})?$/.test(text) && rate > 0) return rate
  throw new InvalidArgumentError('Give MiB per second, such as 32 or 0.5.')
}
