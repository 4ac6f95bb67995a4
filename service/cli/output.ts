import { ArgumentError, ConnectionError, DocumentsClientError, ProblemError } from '../client/errors.ts'
import { DocumentError } from '../documents/document-error.ts'
import { ObjectStoreError } from '../object-store/object-store.ts'
import { withCause } from '../wire/connection-causes.ts'

const output = Bun.stdout.writer()

/** Writes to standard output and waits until it is taken. @throws `EPIPE` where the reader has gone */
export async function printBytes(bytes: Uint8Array | string): Promise<void> {
  output.write(bytes)
  await output.flush()
}

/** Prints one JSON object on one line: what scripts read, also of listings without an end. */
export function printJson(value: object): Promise<void> {
  return printBytes(`${JSON.stringify(value)}\n`)
}

/** Prints one line for people, without control characters. */
export function printLine(text: string): Promise<void> {
  return printBytes(`${printable(text)}\n`)
}

/** Prints an event: for machines its object, for people its lines. */
export type Report = (event: object, ...lines: string[]) => Promise<void>

/** Returns what prints the events of a command. @param json whether machines read them, one object per line */
export function createReport(json: boolean | undefined): Report {
  return async (event, ...lines) => {
    if (json) await printJson(event)
    else for (const line of lines) await printLine(line)
  }
}

/** Prints lines on standard error. @returns the exit code that it is given, for `return complain(…)` */
export function complain<Code extends number>(message: string, exitCode: Code): Code {
  process.stderr.write(`${message.split('\n').map(printable).join('\n')}\n`)
  return exitCode
}

/** Replaces control characters, which must not reach the terminal from texts that others wrote. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}

/** Returns the sentence about a failure of the client, the store or the file system; `null` for a defect. */
export function failureSentence(error: unknown): string | null {
  if (error instanceof ProblemError) {
    const { detail, code, traceId, retryAfterSeconds } = error
    const retry = retryAfterSeconds === null ? '' : ` Try again in ${retryAfterSeconds} s.`
    return `${detail}${retry} [code ${code}, trace ${traceId}]`
  }
  if (error instanceof ConnectionError) {
    const { origin, reason, traceId } = error
    return `The connection to the document service at ${origin} failed (${withCause(reason)}). [${error.name}, trace ${traceId}]`
  }
  if (error instanceof DocumentsClientError) return `${error.message} [${error.name}, trace ${error.traceId}]`
  if (error instanceof ObjectStoreError) return storeSentence(error)
  if (error instanceof DocumentError) return failureSentence(error.cause) ?? error.message
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown }
  const isKnown = error instanceof ArgumentError || (code !== undefined && syscall !== undefined)
  return isKnown ? (error as Error).message : null
}

/** Returns the sentence of a store's failure, with what can be done about it where that is clear. */
export function storeSentence(error: ObjectStoreError): string {
  if (error.code === 'denied') return `${error.message}: check the access key, its secret and its rights`
  if (error.reason === 'NoSuchBucket') return `${error.message}: create the bucket first`
  return error.message
}

/** Formats bytes for people in powers of 1024 (IEC 80000-13): `512 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`
}

const gap = '  '
/** Below this a column is too narrow for words. */
const columnCharsMin = 16

/**
 * Formats a table whose cells wrap at words, so that nothing is cut off.
 *
 * @param columns characters that a line may have; the first column takes what it needs, the others share the rest.
 */
export function textTable(head: string[], rows: string[][], columns: number): string {
  const first = Math.max(...[head, ...rows].map(([cell = '']) => cell.length))
  const others = head.length - 1
  const shared = Math.floor((columns - first) / others) - gap.length
  const widths = [first, ...Array.from({ length: others }, () => Math.max(shared, columnCharsMin))]
  const rule = widths.map((width) => '-'.repeat(width))
  return [head, rule, ...rows].flatMap((row) => linesOf(row, widths)).join('\n')
}

function linesOf(row: string[], widths: number[]): string[] {
  const cells = row.map((cell, column) => Bun.wrapAnsi(printable(cell), widths[column] ?? 0).split('\n'))
  const height = Math.max(...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, column) => (lines[line] ?? '').padEnd(widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  )
}
