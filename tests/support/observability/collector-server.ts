import {
  type ConfiguredOptions,
  type ConfiguredServer,
  startConfigured,
} from '../../../compose/servers/configured-server.ts'
import type { CollectorPlaces } from '../../../compose/servers/otel-collector.ts'
import { answersOk } from '../../../compose/servers/server-process.ts'

export type CollectorOptions = ConfiguredOptions<CollectorPlaces>

export interface RunningCollector extends ConfiguredServer {
  /** Takes OTLP over HTTP at `<otlpUrl>/v1/traces` and `<otlpUrl>/v1/logs`. */
  otlpUrl: string
  healthUrl: string
  /** Its own metrics, for Prometheus. */
  metricsUrl: string
}

/**
 * Builds the OpenTelemetry Collector if need be and runs it on 127.0.0.1 until `stop`, which waits until its
 * queues are empty.
 *
 * @throws {ServerBuildError} without a Go toolchain. @throws {ServerStartError} if it does not come up.
 */
export function startCollector(options: CollectorOptions): Promise<RunningCollector> {
  return startConfigured<CollectorPlaces, Pick<RunningCollector, 'otlpUrl' | 'healthUrl' | 'metricsUrl'>>(
    {
      name: 'otel-collector',
      ports: ['otlpHttpPort', 'otlpGrpcPort', 'healthPort', 'metricsPort'],
      configOption: '--config',
      urls: ({ host, otlpHttpPort, healthPort, metricsPort }) => ({
        otlpUrl: `http://${host}:${otlpHttpPort}`,
        healthUrl: `http://${host}:${healthPort}/`,
        metricsUrl: `http://${host}:${metricsPort}/metrics`,
      }),
      isReady: ({ healthUrl }) => answersOk(healthUrl),
      readySecondsMax: 30,
      stopSecondsMax: 30,
    },
    options,
  )
}
