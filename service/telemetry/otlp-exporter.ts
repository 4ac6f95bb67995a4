import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { ISerializer } from '@opentelemetry/otlp-transformer'
import type { OtlpSender } from './otlp-sender.ts'
import type { DropReason, ServiceMetrics, Signal } from './service-metrics.ts'

/** What OpenTelemetry's batching processors pass their batches to, for spans and log records alike. */
export interface OtlpExporter<Item> {
  export(items: Item[], done: (result: ExportResult) => void): void
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}

export interface OtlpExporterOptions<Item, Answer> {
  serializer: ISerializer<Item[], Answer>
  send: OtlpSender
  backlog: Backlog
  /** How many items of an accepted batch the backend says it did not keep. */
  rejectedOf(answer: Answer): number | string | undefined
  onExported(items: number): void
  onDropped(reason: DropReason, items: number, why: string): void
}

/** Creates an exporter that sends batches and counts what became of each item. */
export function createOtlpExporter<Item, Answer>(
  options: OtlpExporterOptions<Item, Answer>,
): OtlpExporter<Item> {
  const { serializer, send, backlog, onExported, onDropped } = options
  const underWay = new Set<Promise<unknown>>()

  async function exportBatch(items: Item[]): Promise<ExportResult> {
    try {
      const body = serializer.serializeRequest(items)
      const sent = body === undefined ? ({ taken: false, why: 'not written' } as const) : await send(body)
      if (!sent.taken) {
        onDropped('export_failed', items.length, sent.why)
        return { code: ExportResultCode.FAILED }
      }
      const rejected = Math.min(rejectedIn(sent.answer), items.length)
      if (rejected > 0) onDropped('rejected', rejected, 'rejected')
      onExported(items.length - rejected)
      return { code: ExportResultCode.SUCCESS }
    } catch {
      onDropped('export_failed', items.length, 'not written')
      return { code: ExportResultCode.FAILED }
    } finally {
      backlog.release(items.length)
    }
  }

  /** OTLP, "Partial success". An answer that is not OTLP says nothing about rejected items. */
  function rejectedIn(answer: Uint8Array): number {
    if (answer.length === 0) return 0
    try {
      // In JSON, 64-bit integers are strings.
      const rejected = Number(options.rejectedOf(serializer.deserializeResponse(answer)))
      return Number.isSafeInteger(rejected) ? Math.max(0, rejected) : 0
    } catch {
      return 0
    }
  }

  const settle = async () => {
    await Promise.all(underWay)
  }

  return {
    export(items, done) {
      const exporting = exportBatch(items).then(done)
      underWay.add(exporting)
      void exporting.finally(() => underWay.delete(exporting))
    },
    forceFlush: settle,
    shutdown: settle,
  }
}

/** Counts the items that wait for their export or are under way, so that memory stays bounded. */
export interface Backlog {
  /** False if there is no room: the caller must drop the item. */
  admit(): boolean
  /** Makes room again, however the export of these items ended. */
  release(count: number): void
  waiting(): number
}

/**
 * Creates a backlog of at most `itemsMax` items.
 *
 * @param onRefused called for each item that found no room.
 */
export function createBacklog(itemsMax: number, onRefused: () => void): Backlog {
  let items = 0
  return {
    admit() {
      if (items >= itemsMax) {
        onRefused()
        return false
      }
      items += 1
      return true
    },
    release(count) {
      items -= count
    },
    waiting: () => items,
  }
}

/** Called once when exports of a signal begin to fail, with the reason, and once when they work again. */
export type OnTurn = (signal: Signal, state: 'failing' | 'working', why: string) => void

/** Returns callbacks that count what became of the items of one signal, and report when its state turns. */
export function countExports(signal: Signal, metrics: ServiceMetrics, onTurn: OnTurn) {
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
