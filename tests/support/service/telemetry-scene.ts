import { freePort, onFreePorts } from '../../../compose/servers/free-port.ts'
import { type Behaviour, type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './otlp-receiver.ts'
import { type SpawnedService, type SpawnOptions, serviceInChild } from './service-for-tests.ts'

/** The real service, which exports telemetry to a receiver of the test and serves metrics. */
export interface TelemetryScene {
  service: SpawnedService
  backend: OtlpReceiver
  /** URL of its metrics. */
  metricsUrl: string
  /** Scrapes the value of one series, named with its labels as exported; `undefined` if it is absent. */
  metric(series: string): Promise<number | undefined>
  stop(): Promise<void>
}

/** Starts the receiver and the service. */
export async function startTelemetryScene(
  options: SpawnOptions & { behaviour?: Behaviour } = {},
): Promise<TelemetryScene> {
  const backend = startOtlpReceiver()
  // Before the service starts, which sends what it logs about that.
  if (options.behaviour) backend.behave(options.behaviour)
  const { service, metricsUrl } = await onFreePorts(async () => {
    const metricsPort = String(await freePort())
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: backend.url,
      METRICS_PORT: metricsPort,
      ...options.env,
    }
    return {
      service: await serviceInChild({ ...options, env }),
      metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    }
  })
  return {
    service,
    backend,
    metricsUrl,
    async metric(series) {
      const lines = (await (await fetch(metricsUrl)).text()).split('\n')
      const line = lines.find((each) => each.startsWith(`${series} `))
      return line === undefined ? undefined : Number(line.slice(series.length))
    },
    async stop() {
      await service.stop()
      await backend.stop()
    },
  }
}

/** Returns the trace and span of a response's `traceparent`. */
export function idsOf(response: Response): { traceId: string; spanId: string } {
  const [, traceId = '', spanId = ''] = response.headers.get('traceparent')?.split('-') ?? []
  return { traceId, spanId }
}

/** Returns the spans whose parent is the given one. */
export function childrenOf(spans: readonly ReceivedSpan[], parent: { spanId: string }): ReceivedSpan[] {
  return spans.filter((span) => span.parentSpanId === parent.spanId)
}
