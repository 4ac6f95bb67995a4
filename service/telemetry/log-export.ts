import { JsonLogsSerializer, ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer'
import type { Resource } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordProcessor } from '@opentelemetry/sdk-logs'
import { limits } from '../limits.ts'
import { type Backlog, createBacklog } from './backlog.ts'
import { countExports } from './export-counts.ts'
import type { SignalExport, TelemetryOptions } from './export-settings.ts'
import { createLogRecordSink } from './log-records.ts'
import type { LogSink } from './logger.ts'
import { createOtlpExporter } from './otlp-exporter.ts'
import { createOtlpSender, type OtlpDestination } from './otlp-sender.ts'

export interface LogExport extends SignalExport {
  sink: LogSink
}

type LogExportOptions = OtlpDestination &
  Pick<TelemetryOptions, 'metrics' | 'onTurn' | 'version'> & { resource: Resource }

/** Log lines, scrubbed already, in batches, to their endpoint. */
export function createLogExport(options: LogExportOptions): LogExport {
  const counts = countExports('logs', options.metrics, options.onTurn)
  const backlog = createBacklog(limits.telemetryItemsMax, () => counts.onDropped('queue_full', 1, 'full'))
  const exporter = createOtlpExporter({
    serializer: options.protocol === 'http/json' ? JsonLogsSerializer : ProtobufLogsSerializer,
    send: createOtlpSender(options),
    backlog,
    rejectedOf: ({ partialSuccess }) => partialSuccess?.rejectedLogRecords,
    ...counts,
  })
  const batches = new BatchLogRecordProcessor({
    exporter,
    maxQueueSize: limits.telemetryItemsMax,
    maxExportBatchSize: limits.telemetryBatchItems,
    scheduledDelayMillis: limits.telemetryDelayMilliseconds,
    // Ours is done by then in any case.
    exportTimeoutMillis: 2 * options.timeoutMilliseconds,
  })
  const provider = new LoggerProvider({
    resource: options.resource,
    processors: [admitting(backlog, batches)],
  })
  return {
    sink: createLogRecordSink(provider.getLogger('cloudlysis-documents', options.version)),
    shutdown: () => provider.shutdown(),
    waiting: backlog.waiting,
  }
}

/** Passes on what there is room for. */
function admitting(backlog: Backlog, next: LogRecordProcessor): LogRecordProcessor {
  return {
    onEmit(record) {
      if (backlog.admit()) next.onEmit(record)
    },
    forceFlush: () => next.forceFlush(),
    shutdown: () => next.shutdown(),
  }
}
