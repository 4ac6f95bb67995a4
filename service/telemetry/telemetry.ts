import type { LogSink } from './logger.ts'
import type { PrometheusMetrics, PrometheusOptions } from './prometheus-metrics.ts'
import { noMetrics, type ServiceMetrics } from './service-metrics.ts'
import type { ExportSettings, TelemetryExport, TelemetryOptions } from './telemetry-export.ts'
import { idsAlone, type RequestSpans } from './traced-request.ts'

/** Everything that the service reports about itself, except its log lines. */
export interface Telemetry {
  metrics: ServiceMetrics
  /** What `/metrics` answers; `null` if it is not served. */
  prometheus: PrometheusMetrics | null
  requestSpans: RequestSpans
  /** Tracer and shutdown of the exports; `null` if nothing is exported. */
  exported: TelemetryExport | null
  logSink: LogSink | null
}

export interface TelemetrySettings {
  serviceName: string
  telemetry: ExportSettings
  /** Present if `/metrics` is served. */
  metrics?: object | undefined
}

export type TelemetryParts = Pick<TelemetryOptions, 'version' | 'host' | 'onTurn'> &
  Pick<PrometheusOptions, 'capabilities' | 'auditWorks'>

/**
 * Starts what the settings ask for, and loads nothing else: the packages of OpenTelemetry take 16 MiB and 50 ms, the
 * one of Prometheus 8 MiB and 30 ms.
 */
export async function startTelemetry(
  { serviceName, telemetry, metrics: wanted }: TelemetrySettings,
  { version, host, onTurn, capabilities, auditWorks }: TelemetryParts,
): Promise<Telemetry> {
  const prometheus = wanted ? await createPrometheus({ version, capabilities, auditWorks }) : null
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
