import type { OtlpDestination } from './otlp-sender.ts'
import type { SamplerSettings } from './sampler.ts'
import type { ServiceMetrics, Signal } from './service-metrics.ts'

/** What is exported, to where and how; the part of the configuration that is about it. */
export interface ExportSettings extends Pick<OtlpDestination, 'protocol' | 'timeoutMilliseconds' | 'ca'> {
  resourceAttributes: Readonly<Record<string, string>>
  /** Absent: nothing is exported of that signal. */
  traces?: Pick<OtlpDestination, 'url' | 'headers'> | undefined
  logs?: Pick<OtlpDestination, 'url' | 'headers'> | undefined
  sampler: SamplerSettings
}

export interface TelemetryOptions extends ExportSettings {
  serviceName: string
  version: string
  /** Tells replicas apart. */
  host: string
  metrics: ServiceMetrics
  /** Told once when exports of a signal begin to fail, and once when they work again. */
  onTurn(signal: Signal, state: 'failing' | 'working', why: string): void
}

/** One signal on its way out. */
export interface SignalExport {
  shutdown(): Promise<void>
  waiting(): number
}
