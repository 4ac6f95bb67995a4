import {
  type Context,
  context,
  type Logger,
  SeverityNumber,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  type ISerializer,
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { limits } from '../limits.ts'
import type { LogRecord, LogSink } from './logger.ts'
import { countExports, createBacklog, createOtlpExporter, type OnTurn } from './otlp-exporter.ts'
import { createOtlpSender, type OtlpDestination } from './otlp-sender.ts'
import { createRequestSpans } from './request-spans.ts'
import type { ServiceMetrics, Signal } from './service-metrics.ts'
import { redactSpan } from './span-redaction.ts'
import type { RequestSpans } from './traced-request.ts'

/** What is exported, where to and how: the part of the configuration about exports. */
export interface ExportSettings extends Pick<OtlpDestination, 'protocol' | 'timeoutMilliseconds' | 'ca'> {
  resourceAttributes: Readonly<Record<string, string>>
  /** Absent: this signal is not exported. */
  traces?: Pick<OtlpDestination, 'url' | 'headers' | 'proxy'> | undefined
  logs?: Pick<OtlpDestination, 'url' | 'headers' | 'proxy'> | undefined
  sampler: SamplerSettings
}

/** `OTEL_TRACES_SAMPLER` and its argument. */
export interface SamplerSettings {
  kind: 'always_on' | 'always_off' | 'traceidratio'
  /** `parentbased_…`: follows a caller that has decided; `kind` decides for the others. */
  followsCaller: boolean
  /** From 0 to 1, of `traceidratio`. */
  ratio: number
}

export interface TelemetryOptions extends ExportSettings {
  serviceName: string
  version: string
  /** Distinguishes replicas. */
  host: string
  metrics: ServiceMetrics
  onTurn: OnTurn
}

/** Traces and logs on their way out. */
export interface TelemetryExport {
  requestSpans: RequestSpans
  /** For spans other than those of requests. */
  tracer: Tracer
  /** `null` if logs are not exported. */
  logSink: LogSink | null
  /**
   * Sends what waits, for at most `limits.telemetryFlushSecondsMax`, and ends all exports.
   *
   * @returns how many spans and log records were left unsent.
   */
  shutdown(): Promise<number>
}

/** One signal on its way out. */
interface SignalExport {
  shutdown(): Promise<void>
  waiting(): number
}

type SignalOptions = TelemetryOptions & OtlpDestination & { resource: Resource }

const instrumentationScope = 'cloudlysis-documents'

/** Starts the exports. There can be one per process, since the active span is found process-wide. */
export function startTelemetryExport(options: TelemetryOptions): TelemetryExport {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const resource = resourceOf(options)
  const spans = options.traces && exportSpans({ ...options, ...options.traces, resource })
  const logs = options.logs && exportLogs({ ...options, ...options.logs, resource })
  const signals: SignalExport[] = [spans, logs].filter((each) => each !== undefined)
  return {
    requestSpans: createRequestSpans(spans?.tracer ?? null),
    tracer: spans?.tracer ?? trace.getTracer('documents'),
    logSink: logs?.sink ?? null,
    async shutdown() {
      const flushed = Promise.allSettled(signals.map((signal) => signal.shutdown()))
      await Promise.race([flushed, Bun.sleep(limits.telemetryFlushSecondsMax * 1000)])
      context.disable()
      return signals.reduce((left, signal) => left + signal.waiting(), 0)
    },
  }
}

function resourceOf({ serviceName, version, host, resourceAttributes }: TelemetryOptions): Resource {
  const own = { 'service.version': version, 'host.name': host }
  const named = { ...own, ...resourceAttributes, 'service.name': serviceName }
  return defaultResource().merge(resourceFromAttributes(named))
}

/** Exports spans, redacted when they end, in batches. */
function exportSpans(options: SignalOptions): SignalExport & { tracer: Tracer } {
  const { backlog, batching } = batchesOf('traces', options, {
    serializer: options.protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer,
    rejectedOf: ({ partialSuccess }) => partialSuccess?.rejectedSpans,
  })
  const batches = new BatchSpanProcessor(batching)
  const provider = new TracerProvider({
    resource: options.resource,
    sampler: createSampler(options.sampler),
    spanProcessors: [
      {
        onStart() {},
        onEnding: redactSpan,
        onEnd(span) {
          const sampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0
          if (sampled && backlog.admit()) batches.onEnd(span)
        },
        forceFlush: () => batches.forceFlush(),
        shutdown: () => batches.shutdown(),
      },
    ],
    spanLimits: { attributeValueLengthLimit: limits.logTextCharsMax },
  })
  const tracer = provider.getTracer(instrumentationScope, options.version)
  return { tracer, shutdown: () => provider.shutdown(), waiting: backlog.waiting }
}

/** Exports log lines, redacted already, in batches. */
function exportLogs(options: SignalOptions): SignalExport & { sink: LogSink } {
  const { backlog, batching } = batchesOf('logs', options, {
    serializer: options.protocol === 'http/json' ? JsonLogsSerializer : ProtobufLogsSerializer,
    rejectedOf: ({ partialSuccess }) => partialSuccess?.rejectedLogRecords,
  })
  const batches = new BatchLogRecordProcessor(batching)
  const provider = new LoggerProvider({
    resource: options.resource,
    processors: [
      {
        onEmit(record) {
          if (backlog.admit()) batches.onEmit(record)
        },
        forceFlush: () => batches.forceFlush(),
        shutdown: () => batches.shutdown(),
      },
    ],
  })
  const sink = createLogRecordSink(provider.getLogger(instrumentationScope, options.version))
  return { sink, shutdown: () => provider.shutdown(), waiting: backlog.waiting }
}

/** What both signals have in common: a bounded backlog, and batches that are sent by our own sender. */
function batchesOf<Item, Answer>(
  signal: Signal,
  options: SignalOptions,
  otlp: {
    serializer: ISerializer<Item[], Answer>
    rejectedOf(answer: Answer): number | string | undefined
  },
) {
  const counts = countExports(signal, options.metrics, options.onTurn)
  const backlog = createBacklog(limits.telemetryItemsMax, () => counts.onDropped('queue_full', 1, 'full'))
  const batching = {
    exporter: createOtlpExporter({ ...otlp, send: createOtlpSender(options), backlog, ...counts }),
    maxQueueSize: limits.telemetryItemsMax,
    maxExportBatchSize: limits.telemetryBatchItems,
    scheduledDelayMillis: limits.telemetryDelayMilliseconds,
    // Our own deadline has passed by then in any case.
    exportTimeoutMillis: 2 * options.timeoutMilliseconds,
  }
  return { backlog, batching }
}

function createSampler({ kind, followsCaller, ratio }: SamplerSettings): Sampler {
  const own = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio),
  }[kind]()
  return followsCaller ? new ParentBasedSampler({ root: own }) : own
}

const severities = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} as const

/** Fields of a line that are searched by value, as attributes; Loki keeps them as structured metadata. */
const attributes = {
  correlationId: 'cloudlysis.correlation_id',
  tenant: 'cloudlysis.tenant',
  digest: 'cloudlysis.document.digest',
} as const

/**
 * Writes log lines as log records of OpenTelemetry. The body is the line of standard output, so both places show the
 * same. Trace and span are those of the request that wrote the line.
 */
function createLogRecordSink(logger: Logger): LogSink {
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

/** The context of the current request, or of the one that the line names: a body may break off after its request. */
function contextOf({ traceId, spanId }: LogRecord['fields']): Context {
  const active = context.active()
  if (trace.getSpanContext(active) || typeof traceId !== 'string' || typeof spanId !== 'string') return active
  return trace.setSpanContext(active, { traceId, spanId, traceFlags: TraceFlags.NONE })
}

function attributesOf(fields: LogRecord['fields']): Record<string, string> {
  const present: Record<string, string> = {}
  for (const [field, attribute] of Object.entries(attributes)) {
    const value = fields[field]
    if (typeof value === 'string') present[attribute] = value
  }
  return present
}
