import { CommanderError } from 'commander'
import { ArgumentError, DocumentsClientError, ProblemError } from '../client/errors.ts'
import { NoSuchStart } from './local-issuer/local-state.ts'

export const exitCodes = { failed: 1, usage: 2 } as const

/** A command line that cannot be carried out; the message says how to put it right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Something that went wrong here and not at the service; the message is one sentence for the user. */
export class LocalFailure extends Error {
  override readonly name = 'LocalFailure'
}

/** Says what went wrong on standard error and returns the exit code. Commander has said its part already. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
  // `docs list | head`: whoever read has had enough, and knows.
  if ((error as { code?: unknown } | null)?.code === 'EPIPE') return exitCodes.failed
  process.stderr.write(`error: ${printable(sentenceOf(error))}\n`)
  const wrongUsage = [UsageError, ArgumentError, NoSuchStart].some((kind) => error instanceof kind)
  return wrongUsage ? exitCodes.usage : exitCodes.failed
}

/** Control characters of whoever wrote the text must not reach the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}

function sentenceOf(error: unknown): string {
  if (error instanceof ProblemError) {
    const { detail, code, traceId, retryAfterSeconds } = error
    const retry = retryAfterSeconds === null ? '' : ` Try again in ${retryAfterSeconds} s.`
    return `${detail}${retry} [code ${code}, trace ${traceId}]`
  }
  if (error instanceof DocumentsClientError) return `${error.message} [${error.name}, trace ${error.traceId}]`
  return error instanceof Error ? error.message : String(error)
}
