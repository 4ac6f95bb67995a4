import type { ExportSettings, TelemetryOptions } from './export-settings.ts'
import type { LogSink } from './logger.ts'
import type { PrometheusMetrics, PrometheusOptions } from './prometheus-metrics.ts'
import { noMetrics, type ServiceMetrics } from './service-metrics.ts'
import type { TelemetryExport } from './telemetry-export.ts'
import { idsAlone, type RequestSpans } from './traced-request.ts'

/** All that the service says about itself besides its log lines. */
export interface Telemetry {
  metrics: ServiceMetrics
  /** What `/metrics` answers; `null` where nobody is to ask. */
  prometheus: PrometheusMetrics | null
  requestSpans: RequestSpans
  /** Tracer and end of what is exported; `null` where nothing is. */
  exported: TelemetryExport | null
  logSink: LogSink | null
}

export interface TelemetrySettings {
  serviceName: string
  telemetry: ExportSettings
  /** Present where `/metrics` is to be answered. */
  metrics?: object | undefined
}

export type TelemetryParts = Pick<TelemetryOptions, 'version' | 'host' | 'onTurn'> &
  Pick<PrometheusOptions, 'capabilities'>

/**
 * Starts what the settings ask for. What they do not ask for is not even loaded: the packages of OpenTelemetry take
 * 16 MiB and 50 ms, that of Prometheus 8 MiB and 30 ms.
 */
export async function startTelemetry(
  { serviceName, telemetry, metrics: wanted }: TelemetrySettings,
  { version, host, onTurn, capabilities }: TelemetryParts,
): Promise<Telemetry> {
  const prometheus = wanted ? await createPrometheus({ version, capabilities }) : null
  const metrics = prometheus ?? noMetrics
  const isExporting = telemetry.traces !== undefined || telemetry.logs !== undefined
  const options = { ...telemetry, serviceName, version, host, metrics, onTurn }
  const exported = isExporting ? await startExport(options) : null
  return {
    metrics,
    prometheus,
    requestSpans: exported?.requestSpans ?? idsAlone,
    exported,
    logSink: exported?.logSink ?? null,
  }
}

async function createPrometheus(options: PrometheusOptions): Promise<PrometheusMetrics> {
  const { createPrometheusMetrics } = await import('./prometheus-metrics.ts')
  return createPrometheusMetrics(options)
}

async function startExport(options: TelemetryOptions): Promise<TelemetryExport> {
  const { startTelemetryExport } = await import('./telemetry-export.ts')
  return startTelemetryExport(options)
}
