import { readFileSync } from 'node:fs'
import type { DockerEnvironment } from '../../compose/servers/docker-engine.ts'
import { ConfigError } from '../../service/config/config.ts'
import { type Rendered, renderCombinations } from '../config/render-combinations.ts'
import { isOnMinio, type Overlay } from './overlays.ts'

/** The local object store as containers of its network reach it. */
const minio = {
  S3_ENDPOINT: 'http://minio:9000',
  S3_REGION: 'us-east-1',
  S3_FORCE_PATH_STYLE: 'true',
  S3_INSECURE: 'true',
}
/** Where Loki and Tempo keep their objects in it, unless the environment says otherwise. */
const minioPlaces = {
  S3_BUCKET_LOKI: 'cloudlysis-loki',
  S3_PREFIX_LOKI: 'loki/',
  S3_BUCKET_TEMPO: 'cloudlysis-tempo',
  S3_PREFIX_TEMPO: 'tempo/',
}

/** Which of the rendered configurations the compose files mount: names of files, without `.yaml`. */
export type ConfigNames = Record<'LOKI_CONFIG' | 'TEMPO_CONFIG' | 'COLLECTOR_CONFIG', string>

/**
 * Renders into `folder` everything that Loki, Tempo and the Collector can be told about the store of a combination,
 * and chooses: what `env` asks for by `LOKI_CONFIG`, `TEMPO_CONFIG` and `COLLECTOR_CONFIG`, else the plainest that
 * goes with the overlays.
 *
 * @param env the configuration contract, too: places in the store, and that store where it is not part of the stack.
 * @throws {ConfigError} if the environment cannot be what the overlays, or those three variables, ask for.
 */
export async function writeConfigs(
  folder: string,
  overlays: readonly Overlay[],
  env: DockerEnvironment,
): Promise<ConfigNames> {
  if (env.S3_CA_FILE !== undefined) {
    const problem = 'cannot be had with these overlays: their containers trust public authorities only'
    throw new ConfigError([{ variable: 'S3_CA_FILE', problem }])
  }
  const contract = isOnMinio(overlays) ? minioIn(env) : env
  const rendered = await renderCombinations(folder, contract, (path) => readFileSync(path, 'utf8'))
  const choose = (variable: keyof ConfigNames, standard: string[]) =>
    chosen(rendered, variable, env[variable] === undefined ? standard : [env[variable]])
  return {
    LOKI_CONFIG: choose('LOKI_CONFIG', standardNames('loki', ['s3-thanos', 's3-classic'], overlays)),
    TEMPO_CONFIG: choose('TEMPO_CONFIG', standardNames('tempo', ['s3'], overlays)),
    COLLECTOR_CONFIG: choose('COLLECTOR_CONFIG', ['collector']),
  }
}

/** The local store, with the places that the environment gives Loki and Tempo in it. */
function minioIn(env: DockerEnvironment): DockerEnvironment {
  const chosen = Object.keys(minioPlaces).filter((name) => env[name] !== undefined)
  return { ...minio, ...minioPlaces, ...Object.fromEntries(chosen.map((name) => [name, env[name]])) }
}

/** Names of what goes with the overlay of a server, the first choice first. */
function standardNames(server: 'loki' | 'tempo', clients: string[], overlays: readonly Overlay[]): string[] {
  if (overlays.some((overlay) => overlay === `${server}.s3-minio`)) {
    return clients.map((client) => `${server}.${client}`)
  }
  if (overlays.some((overlay) => overlay === `${server}.s3-hetzner`)) {
    return clients.map((client) => `${server}.${client}.hetzner`)
  }
  return [`${server}.local`]
}

/** The first of `names` that could be rendered. */
function chosen(rendered: Rendered[], variable: string, names: string[]): string {
  const found = names.map((name) => rendered.find((one) => one.name === name))
  const usable = found.find((one) => one?.file)
  if (usable) return usable.name
  const why = found[0]?.why ?? [
    `names no configuration: there are ${rendered.map(({ name }) => name).join(', ')}`,
  ]
  throw new ConfigError(why.map((problem) => ({ variable, problem: `cannot be ${names[0]}: ${problem}` })))
}
