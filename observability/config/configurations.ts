import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../../service/config/config.ts'
import type { Environment, ReadFile } from '../../service/config/parse.ts'
import { containerCaFile, containerPlaces, containerUrls, resolveContainer } from './container-places.ts'
import { renderCollector, renderLoki, renderTempo } from './render.ts'
import {
  type LokiStoreSettings,
  observabilitySettings,
  type S3ClientSettings,
  type TempoStoreSettings,
} from './settings.ts'
import type { LokiClient } from './settings-rules.ts'
import { isStoreVariant, VariantError } from './variants.ts'

/** What a configuration is rendered from, in addition to its name. */
export interface RenderContext {
  /** The configuration contract (`S3_*`). Containers find the certificates of its `S3_CA_FILE` at a place of their own. */
  env: Environment
  readFile: ReadFile
}

/**
 * Renders a configuration for a container: it listens on all addresses of its network and finds the others by name.
 *
 * @param name a server and the variants over its base, such as `loki.s3-thanos.retention`, `tempo.local` or
 *   `collector`. `tempo3` is Tempo 3.0, which no test runs.
 * @throws {ConfigError} if the environment names no store for it, or one that its client cannot express.
 * @throws {VariantError} if there is no such server or variant, or variants exclude or need each other.
 */
export async function renderConfiguration(name: string, context: RenderContext): Promise<string> {
  const [server = '', ...named] = name.split('.')
  const variants = named.join() === 'local' ? [] : named
  const isOnS3 = variants.some(isStoreVariant)
  switch (server) {
    case 'loki': {
      const client = variants.includes('s3-classic') ? 'classic' : 'thanos'
      const store = isOnS3 ? await lokiStore(context, client) : null
      return renderLoki(variants, { store, places: containerPlaces.loki })
    }
    case 'tempo':
    case 'tempo3': {
      const store = isOnS3 ? await tempoStore(context) : null
      return renderTempo(variants, { store, places: containerPlaces.tempo }, server === 'tempo' ? 2 : 3)
    }
    case 'collector': {
      const places = containerPlaces.collector
      return renderCollector(variants, { ...containerUrls, places })
    }
    default:
      throw new VariantError(`there is no server ${server}: name loki, tempo, tempo3 or collector`)
  }
}

/**
 * Renders a configuration into `<folder>/<name>.yaml`; without one, a file from before is removed, which would be
 * for another store.
 *
 * @returns the path of the file.
 * @throws as {@link renderConfiguration} does.
 */
export async function writeConfiguration(
  folder: string,
  name: string,
  context: RenderContext,
): Promise<string> {
  const file = join(folder, `${name}.yaml`)
  await mkdir(folder, { recursive: true })
  await rm(file, { force: true })
  // It contains no secret, and the user of a container reads it.
  await writeFile(file, await renderConfiguration(name, context), { mode: 0o644 })
  return file
}

/** Returns the variant of Loki's client that can express the store: the recommended one if both can or none can. */
export async function lokiVariantFor(context: RenderContext): Promise<'s3-thanos' | 's3-classic'> {
  const canExpress = (client: LokiClient) =>
    lokiStore(context, client).then(
      () => true,
      () => false,
    )
  return (await canExpress('thanos')) || !(await canExpress('classic')) ? 's3-thanos' : 's3-classic'
}

async function lokiStore(context: RenderContext, client: LokiClient): Promise<LokiStoreSettings> {
  const { loki } = await settings(context, client)
  return inContainer(loki, 'S3_BUCKET_LOKI')
}

/** What Loki's thanos client cannot express does not concern Tempo. */
async function tempoStore(context: RenderContext): Promise<TempoStoreSettings> {
  const { tempo } = await settings(context, 'classic')
  return inContainer(tempo, 'S3_BUCKET_TEMPO')
}

function settings({ env, readFile }: RenderContext, lokiClient: LokiClient) {
  return observabilitySettings(env, { readFile, resolveHost: resolveContainer, lokiClient })
}

/** `S3_CA_FILE` is a file of this machine; containers find it at a place of their own. */
function inContainer<Settings extends S3ClientSettings>(
  settings: Settings | null,
  variable: string,
): Settings {
  if (settings === null) throw new ConfigError([{ variable, problem: 'is not set' }])
  return settings.caFile === null ? settings : { ...settings, caFile: containerCaFile }
}
