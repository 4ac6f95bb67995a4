import type { LokiPlaces } from '../../compose/servers/loki.ts'
import type { CollectorPlaces } from '../../compose/servers/otel-collector.ts'
import type { TempoPlaces } from '../../compose/servers/tempo.ts'

const host = '0.0.0.0'

/** Where a server listens and keeps its files in its container, as the compose files expect. */
export const containerPlaces: { loki: LokiPlaces; tempo: TempoPlaces; collector: CollectorPlaces } = {
  loki: { host, httpPort: 3100, grpcPort: 9095, dataDir: '/loki' },
  tempo: {
    host,
    httpPort: 3200,
    grpcPort: 9095,
    otlpHttpPort: 4318,
    otlpGrpcPort: 4317,
    dataDir: '/var/tempo',
  },
  collector: {
    host,
    otlpHttpPort: 4318,
    otlpGrpcPort: 4317,
    healthPort: 13133,
    metricsPort: 8888,
    dataDir: '/tmp',
  },
}

/** Where a private certificate authority is mounted (overlays/observability.private-ca.yaml). */
export const containerCaFile = '/etc/private-ca.pem'

/** Origins at which containers find each other in their network. */
export const containerUrls = { lokiUrl: 'http://loki:3100', tempoUrl: 'http://tempo:4318' }

/** Resolves any name: names of containers exist only in their network, where all addresses are private. */
export const resolveContainer = async () => ['10.0.0.1']
