import { join } from 'node:path'
import type { OnProgress } from '../../../service/cli/progress.ts'
import { mustRun } from '../../run-command.ts'
import type { DockerEnvironment } from '../../servers/docker-engine.ts'
import { ensureImage, pullImage } from '../ensure-image.ts'
import {
  isObtainable,
  isPackable,
  madeFrom,
  type ObservabilityService,
  packObservabilityImage,
} from './pack-image.ts'

/** Which variable names the image of each service, and its default. A test compares them with the compose files and with what is built natively. */
export const observabilityImages = {
  loki: { variable: 'LOKI_IMAGE', standard: 'grafana/loki:3.7.8' },
  tempo: { variable: 'TEMPO_IMAGE', standard: 'grafana/tempo:2.9.0' },
  // The Collector's own images contain only its program, which cannot check its own health. Decision: our own image
  // with a busybox next to it. Revisit when the Collector gets a health command.
  'otel-collector': { variable: 'COLLECTOR_IMAGE', standard: 'cloudlysis/otel-collector:0.165.0' },
  // Decision: the version of Debian 12, which is the one that the tests can run. Revisit with Debian 13.
  prometheus: { variable: 'PROMETHEUS_IMAGE', standard: 'prom/prometheus:v2.42.0' },
  toxiproxy: { variable: 'TOXIPROXY_IMAGE', standard: 'ghcr.io/shopify/toxiproxy:2.5.0' },
  grafana: { variable: 'GRAFANA_IMAGE', standard: 'grafana/grafana:13.2.3' },
} as const satisfies Record<ObservabilityService, { variable: string; standard: string }>

/**
 * Makes sure that the engine has the image of a service: uses an existing one, otherwise packs it from this machine's
 * own binary if there is one, otherwise pulls it from a registry, otherwise builds the binary and packs it. An image
 * that the operator chose is only pulled.
 *
 * @returns the image's name.
 * @throws {CommandError} if the engine cannot get it. @throws {ServerBuildError} if a native build fails.
 */
export function ensureObservabilityImage(
  service: ObservabilityService,
  env: DockerEnvironment,
  onProgress: OnProgress,
): Promise<string> {
  const { variable, standard } = observabilityImages[service]
  const pack = (madeFrom: string) =>
    packObservabilityImage(service, { name: standard, madeFrom }, env, onProgress)
  const source = {
    standard,
    chosen: env[variable],
    packsFirst: () => isPackable(service),
    madeFrom: () => madeFrom(service),
    pack,
    otherwise: async () => {
      try {
        await (service === 'otel-collector'
          ? buildCollector(env, onProgress)
          : pullImage(standard, env, onProgress))
      } catch (error) {
        if (!isObtainable(service)) throw error
        await pack(await madeFrom(service))
      }
    },
  }
  return ensureImage(source, env, onProgress)
}

/** Runs {@link ensureObservabilityImage} for these services. Returns the images by the variables that name them. */
export async function ensureImages(
  services: readonly ObservabilityService[],
  env: DockerEnvironment,
  onProgress: OnProgress,
): Promise<Record<string, string>> {
  const images: Record<string, string> = {}
  for (const service of services) {
    images[observabilityImages[service].variable] = await ensureObservabilityImage(service, env, onProgress)
  }
  return images
}

async function buildCollector(env: DockerEnvironment, onProgress: OnProgress): Promise<void> {
  const image = observabilityImages['otel-collector'].standard
  onProgress(`building ${image}`)
  const dockerfile = join(import.meta.dir, 'collector.Dockerfile')
  await mustRun(['docker', 'build', '--tag', image, '--file', dockerfile, import.meta.dir], { env })
}
