import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderCollector, renderLoki, renderTempo } from '../../observability/render.ts'
import { observabilitySettings } from '../../observability/settings.ts'
import { ConfigError } from '../../service/config.ts'
import type { DockerEnvironment } from '../docker-engine.ts'
import { containerPlaces, containerUrls, resolveContainer } from './container-places.ts'
import type { Overlay } from './overlays.ts'

/** The local object store as containers of its network reach it. */
const minio = {
  S3_ENDPOINT: 'http://minio:9000',
  S3_REGION: 'us-east-1',
  S3_FORCE_PATH_STYLE: 'true',
  S3_INSECURE: 'true',
}
/** Where Loki and Tempo keep their objects in it. */
const minioPlaces = {
  S3_BUCKET_LOKI: 'cloudlysis-loki',
  S3_PREFIX_LOKI: 'loki/',
  S3_BUCKET_TEMPO: 'cloudlysis-tempo',
  S3_PREFIX_TEMPO: 'tempo/',
}

/**
 * Renders into `folder` what the servers of a combination are told, under the names that the compose files mount:
 * `<server>.<choice>.yaml`, where the choice is `local` without an overlay.
 *
 * @param env the configuration contract: places in the store, and where an overlay names a store that is not part
 *   of the stack, that store.
 * @throws {ConfigError} with everything in it that is wrong or that the servers cannot express.
 */
export async function writeConfigs(
  folder: string,
  overlays: readonly Overlay[],
  env: DockerEnvironment,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  // Container users read them, and there is no secret in them.
  const write = (name: string, config: string) =>
    writeFile(join(folder, `${name}.yaml`), config, { mode: 0o644 })
  for (const server of ['loki', 'tempo'] as const) {
    const choice = overlays.find((overlay) => overlay.startsWith(`${server}.`)) ?? `${server}.local`
    await write(choice, await render(choice, env))
  }
  await write('collector', await renderCollector([], { ...containerUrls, places: containerPlaces.collector }))
}

async function render(choice: string, env: DockerEnvironment): Promise<string> {
  const [server, store] = choice.split('.')
  const settings = store === 'local' ? null : await settingsOf(store === 's3-minio' ? minioIn(env) : env)
  const tuned = store === 's3-hetzner' ? (['hetzner'] as const) : []
  if (server === 'loki') {
    const { loki } = containerPlaces
    if (settings === null) return renderLoki([], { places: loki })
    const placed = placeIn(settings.loki, 'S3_BUCKET_LOKI')
    return renderLoki([`s3-${placed.client}`, ...tuned], { store: placed, places: loki })
  }
  const { tempo } = containerPlaces
  if (settings === null) return renderTempo([], { places: tempo })
  return renderTempo(['s3', ...tuned], { store: placeIn(settings.tempo, 'S3_BUCKET_TEMPO'), places: tempo })
}

function placeIn<Store>(store: Store | null, variable: string): Store {
  if (store !== null) return store
  throw new ConfigError([{ variable, problem: 'is not set: the overlay puts objects there' }])
}

/** @throws {ConfigError} also for a private certificate authority: its file is not in the containers. */
function settingsOf(env: DockerEnvironment) {
  if (env.S3_CA_FILE !== undefined) {
    const problem = 'cannot be had with these overlays: their containers trust public authorities only'
    throw new ConfigError([{ variable: 'S3_CA_FILE', problem }])
  }
  const contract = Object.entries(env).filter(([name]) => name.startsWith('S3_'))
  const readFile = (path: string) => readFileSync(path, 'utf8')
  return observabilitySettings(Object.fromEntries(contract), { readFile, resolveHost: resolveContainer })
}

/** The local store, with the places that the environment gives Loki and Tempo in it. */
function minioIn(env: DockerEnvironment): DockerEnvironment {
  const chosen = Object.keys(minioPlaces).filter((name) => env[name] !== undefined)
  return { ...minio, ...minioPlaces, ...Object.fromEntries(chosen.map((name) => [name, env[name]])) }
}
