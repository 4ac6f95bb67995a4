import type { LokiPlaces } from '../../compose/servers/loki.ts'
import type { CollectorPlaces } from '../../compose/servers/otel-collector.ts'
import type { TempoPlaces } from '../../compose/servers/tempo.ts'

const host = '0.0.0.0'

/** Where a server listens and keeps its files in its container: what the compose files count on. */
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

/** Where a certificate authority of one's own is mounted (overlays/observability.private-ca.yaml). */
export const containerCaFile = '/etc/private-ca.pem'

/** Where they find each other in their network. */
export const containerUrls = { lokiUrl: 'http://loki:3100', tempoUrl: 'http://tempo:4318' }

/** Names of containers are known in their network only. All addresses there are private. */
export const resolveContainer = async () => ['10.0.0.1']
