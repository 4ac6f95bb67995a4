import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { ISerializer } from '@opentelemetry/otlp-transformer'
import type { Backlog } from './backlog.ts'
import type { OtlpSender } from './otlp-sender.ts'
import type { DropReason } from './service-metrics.ts'

/** What the batching processors of OpenTelemetry hand their batches to, for spans and log records alike. */
export interface OtlpExporter<Item> {
  export(items: Item[], done: (result: ExportResult) => void): void
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}

export interface OtlpExporterOptions<Item, Answer> {
  serializer: ISerializer<Item[], Answer>
  send: OtlpSender
  backlog: Backlog
  /** Of a batch that was taken, how many the backend says it did not keep. */
  rejectedOf(answer: Answer): number | string | undefined
  onExported(items: number): void
  onDropped(reason: DropReason, items: number, why: string): void
}

/** Turns batches into exports and counts what became of each item. */
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

  /** OTLP, "Partial success". What is no answer of OTLP says nothing. */
  function rejectedIn(answer: Uint8Array): number {
    if (answer.length === 0) return 0
    try {
      // In JSON, integers of 64 bits are texts.
      const rejected = Number(options.rejectedOf(serializer.deserializeResponse(answer)))
      return Number.isSafeInteger(rejected) ? Math.max(0, rejected) : 0
    } catch {
      return 0
    }
  }

  return {
    export(items, done) {
      const exporting = exportBatch(items).then(done)
      underWay.add(exporting)
      void exporting.finally(() => underWay.delete(exporting))
    },
    async forceFlush() {
      await Promise.all(underWay)
    },
    async shutdown() {
      await Promise.all(underWay)
    },
  }
}
