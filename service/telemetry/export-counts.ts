import type { DropReason, ServiceMetrics, Signal } from './service-metrics.ts'

/** Counts what became of the items of one signal, and tells when its exports begin to fail and work again. */
export function countExports(
  signal: Signal,
  metrics: ServiceMetrics,
  onTurn: (signal: Signal, state: 'failing' | 'working', why: string) => void,
) {
  let failing = false
  return {
    onExported(items: number): void {
      metrics.telemetryExported(signal, items)
      if (failing) onTurn(signal, 'working', 'taken')
      failing = false
    },
    onDropped(reason: DropReason, items: number, why: string): void {
      metrics.telemetryDropped(signal, reason, items)
      if (reason !== 'export_failed') return
      if (!failing) onTurn(signal, 'failing', why)
      failing = true
    },
  }
}
