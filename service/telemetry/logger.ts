import { type LineDestination, standardOutput } from './line-destinations.ts'
import { redact } from './redaction.ts'

export type LogFields = Readonly<Record<string, unknown>>

/** Writes named events with fields, such as `upload.finished`, rather than sentences with values in them. */
export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** Returns a logger whose every line also carries `fields`. */
  child(fields: LogFields): Logger
  /**
   * Writes one audit line (`"kind":"audit"`) whatever the level is. When this returns, the operating system has the
   * line, so the answer may follow.
   *
   * @throws the error of the write: a decision that cannot be recorded must not take effect.
   */
  audit(entry: AuditEntry): void
  /**
   * Writes the audit line of what became of an allowed call that changes something or gives access away.
   *
   * @throws the error of the write, before the answer is sent.
   */
  auditOutcome(outcome: AuditOutcome): void
  /** Writes the audit line of several refusals. @throws the error of the write */
  auditRefusals(refusals: AuditRefusals): void
  /** Tells whether audit lines can be written: the last one was, otherwise one that is tried now (`audit.resumed`). */
  auditWorks(): boolean
}

/**
 * One access decision (ARCHITECTURE.md, "Who may do what"). The logger adds the time. Facts that the request did not
 * get far enough to show (a subject without a valid token, the digest of a tag) are absent.
 */
export interface AuditEntry {
  decision: 'allowed' | 'denied'
  /** Stable name of the rule that decided, such as `scope:documents:read` or `tenant-in-token`. */
  rule: string
  action: string
  subject?: string | undefined
  /** As requested: its form is not checked before the decision. */
  tenant?: string | undefined
  type?: string | undefined
  name?: string | undefined
  tag?: string | undefined
  digest?: string | undefined
  clientAddress?: string | undefined
  traceId: string
  correlationId: string
  /** A signed URL that was issued: its id and expiry (RFC 3339), never the URL. */
  signedUrl?: { id: string; expiresAt: string } | undefined
}

/** How a call ended that was allowed; its other facts are those of its {@link AuditEntry}, with the same ids. */
export interface AuditOutcome extends Omit<AuditEntry, 'decision' | 'rule' | 'signedUrl'> {
  /** Version that the tag pointed to before; absent for a new tag, and if it was not changed. */
  previousDigest?: string | undefined
  /** Of the answer: below 300 it has taken effect. */
  status: number
  /** Code of the problem that was answered. */
  code?: string | undefined
}

/** Refused requests that have no {@link AuditEntry} of their own. */
export interface AuditRefusals {
  /** That of all of them, if they had no valid token; absent for those of several clients. */
  clientAddress?: string
  /** Those of all of them, if they were refused because the tenant had too many requests under way. */
  tenant?: string
  subject?: string
  /** When the first of them was refused (RFC 3339); the time of the line is when the last one may have been. */
  since: string
  /** How many each rule has refused, such as `token-missing` or `too_many_requests`. */
  rules: Readonly<Record<string, number>>
}

const levels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof levels)[number]

/** A line as it was written, and its content. */
export interface LogRecord {
  time: Date
  level: LogLevel
  kind: 'log' | 'audit'
  event: string
  /** Redacted. */
  fields: LogFields
  /** Without its newline. */
  line: string
}

/** Receives every line in addition to the destination. It never throws and never blocks. */
export interface LogSink {
  emit(record: LogRecord): void
}

export interface LoggerOptions {
  /** The lowest level that is written. Audit lines have no level. */
  level: LogLevel
  /** Value of `service` in every line. */
  service: string
  /** Default: standard output. */
  destination?: LineDestination | undefined
  /** Takes the audit lines instead; default: `destination`. */
  auditDestination?: LineDestination | undefined
  /** Called when a line could not be written where audit lines go, the first time after one that could. */
  onAuditFailure?: ((cause: unknown) => void) | undefined
  /** Receives every line after it was written, audit lines too. */
  sink?: LogSink | null | undefined
}

/**
 * Creates a logger that writes one JSON object per line: `time` (RFC 3339 UTC), `level`, `kind`, `service`, `event`,
 * then the fields, all of them redacted by `redaction.ts`.
 */
export function createLogger(options: LoggerOptions): Logger {
  const destination = options.destination ?? standardOutput
  const { auditDestination = destination, onAuditFailure } = options
  let works = true
  const auditDestinationWatched: LineDestination = {
    write(line) {
      try {
        auditDestination.write(line)
        works = true
      } catch (cause) {
        const turned = works
        works = false
        if (turned) onAuditFailure?.(cause)
        throw cause
      }
    },
  }
  return loggerWith(
    {},
    {
      ...options,
      // An ordinary line finds out as well that audit lines cannot be written.
      destination: auditDestination === destination ? auditDestinationWatched : destination,
      auditDestination: auditDestinationWatched,
      works: () => works,
    },
  )
}

type Settings = LoggerOptions & {
  destination: LineDestination
  auditDestination: LineDestination
  /** Whether the last line was written where audit lines go. */
  works: () => boolean
}

function loggerWith(bound: LogFields, settings: Settings): Logger {
  const { level: lowest, service, destination, auditDestination, works, sink } = settings
  const write = (level: LogLevel) => (event: string, fields?: LogFields) => {
    if (levels.indexOf(level) < levels.indexOf(lowest)) return
    const record = recordOf({ level, kind: 'log', service, event }, { ...bound, ...fields })
    try {
      destination.write(`${record.line}\n`)
    } catch {
      // Work continues without its log line, but not without its audit line (see `audit`).
    }
    sink?.emit(record)
  }
  const audited = (event: string, fields: LogFields) => {
    const record = recordOf({ level: 'info', kind: 'audit', service, event }, fields)
    auditDestination.write(`${record.line}\n`)
    sink?.emit(record)
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => loggerWith({ ...bound, ...fields }, settings),
    audit: (entry) => audited('access.decided', { ...entry }),
    auditOutcome: (outcome) => audited('access.answered', { ...outcome }),
    auditRefusals: (refusals) => audited('access.refused', { decision: 'denied', ...refusals }),
    auditWorks() {
      if (works()) return true
      try {
        audited('audit.resumed', {})
        return true
      } catch {
        return false
      }
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
  // A field must not replace what the logger itself writes, least of all `kind`.
  const others = Object.entries(fields).map(([name, value]) => [
    Object.hasOwn(own, name) ? `${name}_` : name,
    value,
  ])
  const safe = redact(Object.fromEntries(others)) as LogFields
  return { ...head, time, fields: safe, line: JSON.stringify({ ...own, ...safe }) }
}
