import type { ServerPlaces } from './configured-server.ts'

/** Where the Collector runs; its configuration is made for these places. */
export interface CollectorPlaces extends ServerPlaces {
  otlpHttpPort: number
  otlpGrpcPort: number
  healthPort: number
  metricsPort: number
}
