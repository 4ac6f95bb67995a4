import { readFileSync } from 'node:fs'
import type { DockerEnvironment } from '../../compose/servers/docker-engine.ts'
import { ConfigError } from '../../service/config/config.ts'
import { lokiVariantFor, writeConfiguration } from '../config/configurations.ts'
import { VariantError } from '../config/variants.ts'
import { isOnMinio, type Overlay } from './overlays.ts'

/** The local object store as containers of its network reach it. */
const minio = {
  S3_ENDPOINT: 'http://minio:9000',
  S3_REGION: 'us-east-1',
  S3_FORCE_PATH_STYLE: 'true',
  S3_INSECURE: 'true',
}
/** Where Loki and Tempo keep their objects in it by default. */
const minioPlaces = {
  S3_BUCKET_LOKI: 'cloudlysis-loki',
  S3_PREFIX_LOKI: 'loki/',
  S3_BUCKET_TEMPO: 'cloudlysis-tempo',
  S3_PREFIX_TEMPO: 'tempo/',
}

/** Which of the rendered configurations the compose files mount: names of files, without `.yaml`. */
export type ConfigNames = Record<'LOKI_CONFIG' | 'TEMPO_CONFIG' | 'COLLECTOR_CONFIG', string>

/**
 * Renders the configurations of Loki, Tempo and the Collector into `folder`: those that `env` names by `LOKI_CONFIG`,
 * `TEMPO_CONFIG` and `COLLECTOR_CONFIG`, otherwise the plainest that go with the overlays.
 *
 * @param env the configuration contract, too: places in the store, and the store if it is not part of the stack.
 * @throws {ConfigError} if the environment cannot be what the overlays, or those three variables, ask for.
 */
export async function writeConfigs(
  folder: string,
  overlays: readonly Overlay[],
  env: DockerEnvironment,
): Promise<ConfigNames> {
  if (env.S3_CA_FILE !== undefined) {
    const problem = 'is not possible with these overlays: their containers trust public authorities only'
    throw new ConfigError([{ variable: 'S3_CA_FILE', problem }])
  }
  const contract = isOnMinio(overlays) ? minioIn(env) : env
  const context = { env: contract, readFile: (path: string) => readFileSync(path, 'utf8') }
  const names: ConfigNames = {
    LOKI_CONFIG: env.LOKI_CONFIG ?? plainest('loki', await lokiVariantFor(context), overlays),
    TEMPO_CONFIG: env.TEMPO_CONFIG ?? plainest('tempo', 's3', overlays),
    COLLECTOR_CONFIG: env.COLLECTOR_CONFIG ?? 'collector',
  }
  for (const [variable, name] of Object.entries(names)) {
    await writeConfiguration(folder, name, context).catch((error: unknown) => {
      if (!(error instanceof VariantError || error instanceof ConfigError)) throw error
      const reasons =
        error instanceof ConfigError
          ? error.problems.map((one) => `${one.variable} ${one.problem}`)
          : [error.message]
      throw new ConfigError(reasons.map((reason) => ({ variable, problem: `cannot be ${name}: ${reason}` })))
    })
  }
  return names
}

/** Returns the name of the plainest configuration that goes with the overlay of a server. */
function plainest(server: 'loki' | 'tempo', client: string, overlays: readonly Overlay[]): string {
  const overlay = overlays.find((one) => one.startsWith(`${server}.`))
  if (overlay === undefined) return `${server}.local`
  return overlay.endsWith('.s3-hetzner') ? `${server}.${client}.hetzner` : `${server}.${client}`
}

/** Returns the contract of the local store, with the places that the environment gives Loki and Tempo in it. */
function minioIn(env: DockerEnvironment): DockerEnvironment {
  const chosen = Object.keys(minioPlaces).filter((name) => env[name] !== undefined)
  return { ...minio, ...minioPlaces, ...Object.fromEntries(chosen.map((name) => [name, env[name]])) }
}
