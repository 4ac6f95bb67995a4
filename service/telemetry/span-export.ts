import { TraceFlags, type Tracer } from '@opentelemetry/api'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { Resource } from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { limits } from '../limits.ts'
import { type Backlog, createBacklog } from './backlog.ts'
import { countExports } from './export-counts.ts'
import type { SignalExport, TelemetryOptions } from './export-settings.ts'
import { createOtlpExporter } from './otlp-exporter.ts'
import { createOtlpSender, type OtlpDestination } from './otlp-sender.ts'
import { createSampler } from './sampler.ts'
import { redactSpan } from './span-redaction.ts'

export interface SpanExport extends SignalExport {
  tracer: Tracer
}

type SpanExportOptions = OtlpDestination &
  Pick<TelemetryOptions, 'sampler' | 'metrics' | 'onTurn' | 'version'> & { resource: Resource }

/** Spans, scrubbed, in batches, to their endpoint. */
export function createSpanExport(options: SpanExportOptions): SpanExport {
  const counts = countExports('traces', options.metrics, options.onTurn)
  const backlog = createBacklog(limits.telemetryItemsMax, () => counts.onDropped('queue_full', 1, 'full'))
  const exporter = createOtlpExporter({
    serializer: options.protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer,
    send: createOtlpSender(options),
    backlog,
    rejectedOf: ({ partialSuccess }) => partialSuccess?.rejectedSpans,
    ...counts,
  })
  const batches = new BatchSpanProcessor({
    exporter,
    maxQueueSize: limits.telemetryItemsMax,
    maxExportBatchSize: limits.telemetryBatchItems,
    scheduledDelayMillis: limits.telemetryDelayMilliseconds,
    // Ours is done by then in any case.
    exportTimeoutMillis: 2 * options.timeoutMilliseconds,
  })
  const provider = new TracerProvider({
    resource: options.resource,
    sampler: createSampler(options.sampler),
    spanProcessors: [admitting(backlog, batches)],
    spanLimits: { attributeValueLengthLimit: limits.logTextCharsMax },
  })
  return {
    tracer: provider.getTracer('cloudlysis-documents', options.version),
    shutdown: () => provider.shutdown(),
    waiting: backlog.waiting,
  }
}

/** Scrubs what ends, and passes on what there is room for. */
function admitting(backlog: Backlog, next: SpanProcessor): SpanProcessor {
  return {
    onStart() {},
    onEnding: redactSpan,
    onEnd(span) {
      const sampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0
      if (sampled && backlog.admit()) next.onEnd(span)
    },
    forceFlush: () => next.forceFlush(),
    shutdown: () => next.shutdown(),
  }
}
