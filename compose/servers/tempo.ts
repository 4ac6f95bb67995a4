import {
  type ConfiguredOptions,
  type ConfiguredServer,
  type ServerPlaces,
  startConfigured,
} from './configured-server.ts'
import { answersOk } from './server-process.ts'

/** Where Tempo runs; its configuration is made for these places. */
export interface TempoPlaces extends ServerPlaces {
  httpPort: number
  grpcPort: number
  otlpHttpPort: number
  otlpGrpcPort: number
}

export type TempoOptions = ConfiguredOptions<TempoPlaces>

export interface RunningTempo extends ConfiguredServer {
  /** Origin of its HTTP API, such as `http://127.0.0.1:3200`. */
  url: string
  /** Takes OTLP over HTTP at `<otlpUrl>/v1/traces`. */
  otlpUrl: string
}

/**
 * Tempo 2.9 hangs at SIGTERM once it has been queried. By then it has written what it had in memory, within seconds,
 * so that it may be killed.
 */
const stopSecondsMax = 15

/**
 * Builds Tempo if need be and runs it as one process on 127.0.0.1 until `stop`.
 *
 * @throws {ServerBuildError} without a Go toolchain. @throws {ServerStartError} if it does not come up, such as
 *   with a configuration that it refuses, or keys or a bucket that its store refuses.
 */
export function startTempo(options: TempoOptions): Promise<RunningTempo> {
  return startConfigured<TempoPlaces, Pick<RunningTempo, 'url' | 'otlpUrl'>>(
    {
      name: 'tempo',
      ports: ['httpPort', 'grpcPort', 'otlpHttpPort', 'otlpGrpcPort'],
      configOption: '-config.file',
      urls: ({ host, httpPort, otlpHttpPort }) => ({
        url: `http://${host}:${httpPort}`,
        otlpUrl: `http://${host}:${otlpHttpPort}`,
      }),
      isReady: ({ url }) => answersOk(`${url}/ready`),
      readySecondsMax: 60,
      stopSecondsMax,
    },
    options,
  )
}
