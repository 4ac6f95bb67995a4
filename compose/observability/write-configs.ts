import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type LokiVariant,
  renderCollector,
  renderLoki,
  renderTempo,
  type TempoVariant,
} from '../../observability/render.ts'
import { observabilitySettings } from '../../observability/settings.ts'
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
    const loki = settings?.loki
    const variants: LokiVariant[] = loki ? [`s3-${loki.client}`, ...tuned] : []
    return renderLoki(variants, { store: loki, places: containerPlaces.loki })
  }
  const tempo = settings?.tempo
  const variants: TempoVariant[] = tempo ? ['s3', ...tuned] : []
  return renderTempo(variants, { store: tempo, places: containerPlaces.tempo })
}

function settingsOf(env: DockerEnvironment) {
  const contract = Object.entries(env).filter(([name]) => name.startsWith('S3_'))
  const readFile = (path: string) => readFileSync(path, 'utf8')
  return observabilitySettings(Object.fromEntries(contract), { readFile, resolveHost: resolveContainer })
}

/** The local store, with the places that the environment gives Loki and Tempo in it. */
function minioIn(env: DockerEnvironment): DockerEnvironment {
  const chosen = Object.keys(minioPlaces).filter((name) => env[name] !== undefined)
  return { ...minio, ...minioPlaces, ...Object.fromEntries(chosen.map((name) => [name, env[name]])) }
}
