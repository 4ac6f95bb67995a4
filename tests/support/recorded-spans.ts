import { afterAll, afterEach } from 'bun:test'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

/** Starts recording spans for the tests of one file, each of which begins without any; returns the tracer and its exporter. */
export function recordedSpans() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  afterEach(() => exporter.reset())
  afterAll(async () => {
    context.disable()
    await provider.shutdown()
  })
  return { exporter, tracer: provider.getTracer('test') }
}
