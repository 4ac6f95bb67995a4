import {
  type ConfiguredOptions,
  type ConfiguredServer,
  type ServerPlaces,
  startConfigured,
} from './configured-server.ts'
import { answersOk, statusOf } from './server-process.ts'

/** Where Loki runs; its configuration is made for these places. */
export interface LokiPlaces extends ServerPlaces {
  httpPort: number
  grpcPort: number
}

export interface LokiOptions extends ConfiguredOptions<LokiPlaces> {
  /**
   * `ready`, the default: it accepts logs and answers queries, after about ten seconds. `listening`: its metrics and
   * `/ready` answer, whatever their status.
   */
  waitFor?: 'ready' | 'listening'
}

export interface RunningLoki extends ConfiguredServer {
  /** Origin of its HTTP API, such as `http://127.0.0.1:3100`; it takes OTLP at `<url>/otlp/v1/logs`. */
  url: string
}

/**
 * Builds Loki if need be and runs it as one process on 127.0.0.1 until `stop`, which waits until it has written
 * everything to the store.
 *
 * @throws {ServerBuildError} without a Go toolchain. @throws {ServerStartError} if it does not come up, such as
 *   with a configuration that it refuses.
 */
export function startLoki(options: LokiOptions): Promise<RunningLoki> {
  return startConfigured<LokiPlaces, Pick<RunningLoki, 'url'>>(
    {
      name: 'loki',
      ports: ['httpPort', 'grpcPort'],
      configOption: '-config.file',
      urls: ({ host, httpPort }) => ({ url: `http://${host}:${httpPort}` }),
      isReady: async ({ url }) =>
        options.waitFor === 'listening'
          ? (await statusOf(`${url}/ready`)) !== null
          : answersOk(`${url}/ready`),
      readySecondsMax: 60,
      stopSecondsMax: 60,
    },
    options,
  )
}
