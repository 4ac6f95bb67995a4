import { join } from 'node:path'
import { ensureImages } from '../../compose/images/observability/images.ts'
import type { DockerEnvironment } from '../../compose/servers/docker-engine.ts'
import {
  type ComposeProject,
  openComposeProject,
  writeSettings,
} from '../../compose/stacks/compose-project.ts'
import { describeObjectStore } from '../../compose/stacks/object-store-stack.ts'
import type { OnProgress } from '../../service/cli/progress.ts'
import { composeFiles, isOnMinio, type Overlay, servicesOf } from './overlays.ts'
import { ensureObservabilitySecrets } from './secrets.ts'
import { writeConfigs } from './write-configs.ts'

/** Default ports on 127.0.0.1, by the variables of the compose files. */
const portDefaults = {
  MINIO_API_PORT: 9000,
  MINIO_CONSOLE_PORT: 9001,
  LOKI_PORT: 3100,
  TEMPO_PORT: 3200,
  TEMPO_OTLP_PORT: 14318,
  COLLECTOR_OTLP_PORT: 4318,
  COLLECTOR_OTLP_GRPC_PORT: 4317,
  PROMETHEUS_PORT: 9090,
  GRAFANA_PORT: 3000,
}
export type ObservabilityPorts = typeof portDefaults

export interface ObservabilityOptions {
  /** Absolute path of the folder for `.env`, `secrets/` and the rendered configurations. */
  folder: string
  /** Compose project: names the containers, the network and the volumes. */
  project: string
  overlays: readonly Overlay[]
  ports?: Partial<ObservabilityPorts>
  /**
   * Environment of the `docker` command, with variables of the compose files, and those of the configuration contract
   * (`S3_ENDPOINT`, …) if an overlay names a store that is not part of the stack.
   */
  env: DockerEnvironment
  onProgress: OnProgress
}

/** Loki, Tempo and the chosen overlays as a Compose project. */
export interface ObservabilityStack extends ComposeProject {
  /** Origins on this machine; `null` for what was not chosen. */
  urls: {
    loki: string
    tempo: string
    /** Receives traces as OTLP over HTTP; Loki receives logs at `<loki>/otlp`. */
    tempoOtlp: string
    /** Receives both. */
    collector: string | null
    prometheus: string | null
    grafana: string | null
    minio: string | null
  }
}

/**
 * Brings up Loki, Tempo and the chosen overlays with Compose, and waits until all of them are healthy. Makes or takes
 * the images, renders the configurations and creates the secrets. Can be repeated.
 *
 * @throws {CommandError} if the engine or a container fails. @throws {ServerBuildError} if something has to be
 *   built and cannot be. @throws {ConfigError} if the configuration contract is violated.
 */
export async function upObservability(options: ObservabilityOptions): Promise<ObservabilityStack> {
  const { folder, overlays, env, onProgress } = options
  const services = servicesOf(overlays)
  const ports = { ...portDefaults, ...portsIn(env), ...options.ports }
  if (isOnMinio(overlays)) {
    const [apiPort, consolePort] = [ports.MINIO_API_PORT, ports.MINIO_CONSOLE_PORT]
    await describeObjectStore({ ...options, apiPort, consolePort })
  }
  await ensureObservabilitySecrets(join(folder, 'secrets'), overlays, env)
  const configs = await writeConfigs(join(folder, 'observability'), overlays, env)
  await writeSettings(folder, {
    ...configs,
    ...(await ensureImages(services, env, onProgress)),
    COMPOSE_PROJECT_NAME: options.project,
    COMPOSE_FILE: composeFiles(overlays).join(':'),
    SECRETS_FOLDER: join(folder, 'secrets'),
    OBSERVABILITY_FOLDER: join(folder, 'observability'),
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
  })
  const stack = await openObservability(folder, env, onProgress)
  onProgress('starting the containers')
  await stack.must(['up', '--detach', '--wait', ...services])
  return stack
}

/**
 * Returns the project that {@link upObservability} described in `folder`; starts nothing.
 *
 * @throws {Error} if nothing was described there.
 */
export async function openObservability(
  folder: string,
  env: DockerEnvironment,
  onProgress?: OnProgress,
): Promise<ObservabilityStack> {
  const project = await openComposeProject(folder, null, env, onProgress)
  const origin = (variable: keyof ObservabilityPorts) => `http://127.0.0.1:${project.settings[variable]}`
  const originIf = (file: string, variable: keyof ObservabilityPorts) =>
    project.files.includes(file) ? origin(variable) : null
  return {
    ...project,
    urls: {
      loki: origin('LOKI_PORT'),
      tempo: origin('TEMPO_PORT'),
      tempoOtlp: origin('TEMPO_OTLP_PORT'),
      collector: originIf('overlays/collector.otlp.yaml', 'COLLECTOR_OTLP_PORT'),
      prometheus: originIf('overlays/metrics.prometheus.yaml', 'PROMETHEUS_PORT'),
      grafana: originIf('overlays/dashboards.grafana.yaml', 'GRAFANA_PORT'),
      minio: originIf('compose/stacks/object-store.yaml', 'MINIO_API_PORT'),
    },
  }
}

function portsIn(env: DockerEnvironment): Partial<ObservabilityPorts> {
  const set = Object.keys(portDefaults).filter((name) => env[name] !== undefined)
  return Object.fromEntries(set.map((name) => [name, Number(env[name])]))
}
