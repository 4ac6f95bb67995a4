import { type Context, context, type Logger, SeverityNumber, TraceFlags, trace } from '@opentelemetry/api'
import type { LogRecord, LogSink } from './logger.ts'

const severities = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} as const

/** Fields of a line that one looks for by value, as attributes; Loki keeps them as structured metadata. */
const attributes = {
  correlationId: 'cloudlysis.correlation_id',
  tenant: 'cloudlysis.tenant',
  digest: 'cloudlysis.document.digest',
} as const

/**
 * Log lines as log records of OpenTelemetry. The body is the very line of standard output, so both places show
 * the same. Trace and span are those of the request that wrote the line.
 */
export function createLogRecordSink(logger: Logger): LogSink {
  return {
    emit({ time, level, kind, event, fields, line }: LogRecord) {
      logger.emit({
        timestamp: time,
        severityNumber: severities[level],
        severityText: level,
        body: line,
        attributes: { 'cloudlysis.kind': kind, 'cloudlysis.event': event, ...attributesOf(fields) },
        context: contextOf(fields),
      })
    },
  }
}

/** Of the request that is under way, or the one that the line names: a body may break off after its request. */
function contextOf({ traceId, spanId }: LogRecord['fields']): Context {
  const active = context.active()
  if (trace.getSpanContext(active) || typeof traceId !== 'string' || typeof spanId !== 'string') return active
  return trace.setSpanContext(active, { traceId, spanId, traceFlags: TraceFlags.NONE })
}

function attributesOf(fields: LogRecord['fields']): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [field, attribute] of Object.entries(attributes)) {
    const value = fields[field]
    if (typeof value === 'string') found[attribute] = value
  }
  return found
}
