import type { AuditEntry } from './audit.ts'
import { redact } from './redaction.ts'
import { standardOutput } from './standard-output.ts'

export type LogFields = Readonly<Record<string, unknown>>

/** Events are named, not told: `upload.finished` with fields, rather than a sentence with values in it. */
export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** A logger whose every line also carries `fields`. */
  child(fields: LogFields): Logger
  /**
   * Writes one audit line (`"kind":"audit"`) whatever the level is. It has been handed to the operating system
   * when this returns, so the answer may follow.
   *
   * @throws whatever the write failed with: a decision that cannot be recorded must not take effect.
   */
  audit(entry: AuditEntry): void
}

const levels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof levels)[number]

export interface LineDestination {
  /** Takes one line with its newline; returns once the line is written. */
  write(line: string): void
}

/** A line as it was written, and what is in it. */
export interface LogRecord {
  time: Date
  level: LogLevel
  kind: 'log' | 'audit'
  event: string
  /** Scrubbed. */
  fields: LogFields
  /** Without its newline. */
  line: string
}

/** Where lines go besides their destination. It never throws and never makes anybody wait. */
export interface LogSink {
  emit(record: LogRecord): void
}

export interface LoggerOptions {
  /** The lowest level that is written. Audit lines know no level. */
  level: LogLevel
  /** Value of `service` in every line. */
  service: string
  /** Standard output unless a test wants to read the lines. */
  destination?: LineDestination | undefined
  /** Told of every line after it was written, of audit lines too. */
  sink?: LogSink | null | undefined
}

/**
 * A logger of one JSON object per line: `time` (RFC 3339 UTC), `level`, `kind`, `service`, `event`, then the
 * fields, all of them scrubbed by `redaction.ts`.
 */
export function createLogger(options: LoggerOptions): Logger {
  return loggerWith({}, { ...options, destination: options.destination ?? standardOutput })
}

type Settings = LoggerOptions & { destination: LineDestination }

function loggerWith(bound: LogFields, settings: Settings): Logger {
  const { level: lowest, service, destination, sink } = settings
  const write = (level: LogLevel) => (event: string, fields?: LogFields) => {
    if (levels.indexOf(level) < levels.indexOf(lowest)) return
    const record = recordOf({ level, kind: 'log', service, event }, { ...bound, ...fields })
    try {
      destination.write(`${record.line}\n`)
    } catch {
      // Work goes on without its log line; without its audit line it does not (see `audit`).
    }
    sink?.emit(record)
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => loggerWith({ ...bound, ...fields }, settings),
    audit(entry) {
      const record = recordOf(
        { level: 'info', kind: 'audit', service, event: 'access.decided' },
        { ...entry },
      )
      destination.write(`${record.line}\n`)
      sink?.emit(record)
    },
  }
}

interface LineHead {
  level: LogLevel
  kind: 'log' | 'audit'
  service: string
  event: string
}

function recordOf(head: LineHead, fields: LogFields): LogRecord {
  const time = new Date()
  const own = { time: time.toISOString(), ...head }
  // A field must not be able to replace what the logger says itself, least of all `kind`.
  const others = Object.entries(fields).map(([name, value]) => [
    Object.hasOwn(own, name) ? `${name}_` : name,
    value,
  ])
  const safe = redact(Object.fromEntries(others)) as LogFields
  return { ...head, time, fields: safe, line: JSON.stringify({ ...own, ...safe }) }
}
