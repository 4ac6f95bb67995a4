import { context, type Tracer, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import { limits } from '../limits.ts'
import type { SignalExport, TelemetryOptions } from './export-settings.ts'
import { createLogExport } from './log-export.ts'
import type { LogSink } from './logger.ts'
import { createRequestSpans } from './request-spans.ts'
import { createSpanExport } from './span-export.ts'
import type { RequestSpans } from './traced-request.ts'

/** Traces and logs on their way out. */
export interface TelemetryExport {
  requestSpans: RequestSpans
  /** For spans other than those of requests. */
  tracer: Tracer
  /** `null` where logs are not exported. */
  logSink: LogSink | null
  /**
   * Sends what waits, for at most `limits.telemetryFlushSecondsMax`, and exports nothing any more.
   *
   * @returns how many spans and log records were left behind.
   */
  shutdown(): Promise<number>
}

/** Begins to export; there can be one in a process, since the active span is found process-wide. */
export function startTelemetryExport(options: TelemetryOptions): TelemetryExport {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const resource = resourceOf(options)
  const spans = options.traces && createSpanExport({ ...options, ...options.traces, resource })
  const logs = options.logs && createLogExport({ ...options, ...options.logs, resource })
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
